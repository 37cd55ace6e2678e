#pragma once

#include <bit>
#include <cstdint>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// The float32 bits of the IEEE 754 binary16 number `half`. Exact: denormals become normal numbers,
/// infinities stay, a NaN keeps its sign and payload.
std::uint32_t float16_to_float32_bits(std::uint16_t half);
/// bfloat16 is the upper half of a float32.
inline std::uint32_t bfloat16_to_float32_bits(std::uint16_t half) { return std::uint32_t{half} << 16; }

/// The nearest binary16 or bfloat16, ties to even, beyond the largest infinity; a NaN stays one.
std::uint16_t float32_to_float16_bits(float value);
std::uint16_t float32_to_bfloat16_bits(float value);

/// float16 or bfloat16 elements as float32, and float32 elements as `type`, one of the two.
Tensor widen(const Tensor& half);
Tensor narrow(const Tensor& floats, ElementType type);

inline bool is_half(ElementType type) {
  return type == ElementType::kFloat16 || type == ElementType::kBFloat16;
}

}  // namespace zeropoint
