#pragma once

// Functions of neighbouring float32 elements, one of each per instruction set. Every operation is one of IEEE
// 754 in a fixed order, so that all sets give the same bits.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "zeropoint/cpu.h"

namespace zeropoint::kernels {

/// A row of a convolution of one channel: out[x] = finish(sum over t of in[x * step + taps[t]] * weights[t]),
/// the sum and finish() as FloatDotParams has them.
struct FloatWindowParams {
  const float* input = nullptr;
  const std::ptrdiff_t* taps = nullptr;
  std::int64_t tap_count = 0;
  const float* weights = nullptr;
  const float* bias = nullptr;  ///< one; none: null
  std::ptrdiff_t step = 1;
  std::int64_t count = 0;
  float* output = nullptr;
  bool clamps = false;
  float low = 0;
  float high = 0;
};

/// Neighbours brought to mean 0 and variance 1 as operators/moments.h has both, in double; then gain and
/// bias, in float32: of each element (stretch 0) or of each `stretch` elements, where the gain is divided by
/// the deviation first. docs: ONNX LayerNormalization and GroupNormalization.
struct FloatNormalizeParams {
  const float* input = nullptr;
  float* output = nullptr;
  std::int64_t count = 0;
  std::int64_t stretch = 0;
  const float* gain = nullptr;
  const float* bias = nullptr;  ///< none: zeros
  bool centers = true;
  double epsilon = 0;
};

struct FloatKernels {
  std::string_view name;
  Isa isa;
  void (*window)(const FloatWindowParams& params);
  /// operators::softmax_lanes() of one lane.
  void (*softmax)(const float* in, float* out, std::int64_t count, bool logarithm);
  void (*normalize)(const FloatNormalizeParams& params);
};

/// All that are compiled in, best first.
std::span<const FloatKernels> float_kernels();
/// The best that a machine with `isa` runs.
const FloatKernels& float_kernels_for(Isa isa);

}  // namespace zeropoint::kernels
