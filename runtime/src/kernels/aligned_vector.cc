#include "kernels/aligned_vector.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace zeropoint::kernels {

void populate([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(MADV_POPULATE_WRITE)
  constexpr std::size_t kWorthACall = 128 << 10;
  if (bytes < kWorthACall) {
    return;
  }
  auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
  auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
  if (begin < end) {
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
  }
#endif
}

}  // namespace zeropoint::kernels
