#pragma once

// Where the parts of a program file lie: the size of the metadata as uint32, the metadata (a FlatBuffer),
// zeros up to the next multiple of 64, the data section.

#include <bit>
#include <cstddef>

namespace zeropoint::format {

static_assert(std::endian::native == std::endian::little,
              "program files are little-endian, and their tensors are used where they lie");

inline constexpr std::size_t kAlignment = 64;

constexpr std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace zeropoint::format
