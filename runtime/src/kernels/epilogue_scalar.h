#pragma once

// The epilogue for one accumulator, in C++ alone. Internal linkage: it is included by files of several
// instruction sets.

#include <cstdint>

#include "kernels/epilogue.h"

namespace zeropoint::kernels {
namespace {

/// clamp(round(x) + zero_point, low, high). Clamped first, x is small enough for an addition to round it:
/// above 2^23 float32 has no fractions.
[[maybe_unused]] inline std::uint8_t byte_of(float x, std::int32_t zero_point, std::uint8_t low,
                                             std::uint8_t high) {
  constexpr float kWhole = 12582912.0F;  // 1.5 * 2^23
  float least = static_cast<float>(std::int32_t{low} - zero_point);
  float most = static_cast<float>(std::int32_t{high} - zero_point);
  float clamped = x < least ? least : (x > most ? most : x);
  return static_cast<std::uint8_t>(static_cast<std::int32_t>((clamped + kWhole) - kWhole) + zero_point);
}

/// `own`, a requantized accumulator, and `other` summed as AddOp says.
[[maybe_unused]] inline std::uint8_t added(const Epilogue& e, std::uint8_t own, std::uint8_t other) {
  auto q = static_cast<float>(std::int32_t{own} - e.own_shift);
  auto p = static_cast<float>(std::int32_t{other} - e.other_shift);
  float sum = e.own_first ? q * e.own_scale + (p * e.other_scale + e.fixed)
                          : p * e.other_scale + (q * e.own_scale + e.fixed);
  return byte_of(sum, e.sum_shift, e.sum_low, e.sum_high);
}

}  // namespace
}  // namespace zeropoint::kernels
