#pragma once

// The exponential of float32 as additions and products in a fixed order, each rounded by itself: the same
// bits on every machine, and a loop over it becomes vectors. Internal linkage: it is included by files of
// several instruction sets.

#include <bit>
#include <cstdint>

namespace zeropoint::operators {
namespace {

/// 2^n for n in [-126, 127].
inline float power_of_two(std::int32_t n) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(n + 127) << 23);
}

/// e^x, within 2 units of the last place: e^x = 2^n * e^r with r in [-ln 2 / 2, ln 2 / 2], e^r by a
/// polynomial (its Taylor series to r^7, whose next term is below 2^-27). Above 88.73 infinity; below -104
/// zero.
inline float exponential(float x) {
  constexpr float kLowest = -104.0F;
  constexpr float kHighest = 89.0F;
  constexpr float kLog2E = 1.44269504088896340736F;
  constexpr float kLn2High = 0.693145751953125F;  // 16 bits, so that its product with n is exact
  constexpr float kLn2Low = 1.42860676533018e-6F;
  constexpr float kWhole = 12582912.0F;  // 1.5 * 2^23: adding it rounds
  float bounded = x < kLowest ? kLowest : x;
  bounded = bounded > kHighest ? kHighest : bounded;
  bounded = x == x ? bounded : 0.0F;
  float n = (bounded * kLog2E + kWhole) - kWhole;
  float r = (bounded - n * kLn2High) - n * kLn2Low;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = (p * r) * r + r;
  p = p + 1.0F;
  // 2^n in two factors: the results may be beyond the normal numbers at either end.
  auto whole = static_cast<std::int32_t>(n);
  std::int32_t half = whole >> 1;
  float result = (p * power_of_two(half)) * power_of_two(whole - half);
  return x == x ? result : x;
}

}  // namespace
}  // namespace zeropoint::operators
