#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace zeropoint::toolchain {

/// The largest |x|; an infinity or NaN where there is one. As integers, since the bits of magnitudes are
/// ordered as they are, and in lanes, so that compilers vectorize it.
inline float largest_magnitude(std::span<const float> values) {
  constexpr std::size_t kLanes = 16;
  constexpr std::int32_t kMagnitude = 0x7fffffff;
  std::int32_t lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) {
      std::int32_t bits = std::bit_cast<std::int32_t>(values[i + j]) & kMagnitude;
      lanes[j] = lanes[j] < bits ? bits : lanes[j];
    }
  }
  for (; i < values.size(); ++i) {
    lanes[0] = std::max(lanes[0], std::bit_cast<std::int32_t>(values[i]) & kMagnitude);
  }
  return std::bit_cast<float>(*std::max_element(lanes, lanes + kLanes));
}

}  // namespace zeropoint::toolchain
