#pragma once

#include <cstdint>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// The float32 bits of the IEEE 754 binary16 number `half`. Exact: denormals become normal numbers,
/// infinities stay, a NaN keeps its sign and payload.
std::uint32_t float16_to_float32_bits(std::uint16_t half);

/// `tensor` with its elements as float32. Exact from float16 and bfloat16, NaN payloads included; float64 is
/// rounded to nearest even, beyond the range of float32 to infinity. Other element types: kInvalidArgument.
Result<Tensor> to_float32(const Tensor& tensor);

}  // namespace zeropoint::toolchain
