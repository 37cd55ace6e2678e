#pragma once

// ONNX Softmax and LogSoftmax of float32.

#include <cstdint>

namespace zeropoint::operators {

/// Along the first axis of x [extent, inner], whose lanes are worked on side by side: with m the largest
/// element of a lane (NaNs aside), e = exponential(x - m) of elementary.h, summed one after the other:
/// y = e / sum, or (x - m) - log(sum). `largest` and `sums` have room for a float of each lane.
void softmax_lanes(const float* x, float* y, std::int64_t extent, std::int64_t inner, bool logarithm,
                   float* largest, float* sums);

}  // namespace zeropoint::operators
