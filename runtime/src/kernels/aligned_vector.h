#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace zeropoint::kernels {

/// Asks the system for the pages of memory that is about to be written: together they cost it less than one
/// by one. Does nothing where there are few, or where the system knows no such wish.
void populate(void* memory, std::size_t bytes) noexcept;

/// Memory that begins at a cache line, as vector loads like it.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>& /*other*/) {}

  T* allocate(std::size_t count) {
    void* memory = ::operator new(count * sizeof(T), kAlignment);
    populate(memory, count * sizeof(T));
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t /*count*/) { ::operator delete(memory, kAlignment); }

  friend bool operator==(const CacheLineAllocator& /*a*/, const CacheLineAllocator& /*b*/) { return true; }
};

template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace zeropoint::kernels
