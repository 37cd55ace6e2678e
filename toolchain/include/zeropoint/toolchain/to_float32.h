#pragma once

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// `tensor` with its elements as float32. Exact from float16 and bfloat16, NaN payloads included; float64 is
/// rounded to nearest even, beyond the range of float32 to infinity. Other element types: kInvalidArgument.
Result<Tensor> to_float32(const Tensor& tensor);

}  // namespace zeropoint::toolchain
