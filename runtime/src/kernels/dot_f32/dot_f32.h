#pragma once

// Products of float32 matrices, the right one perhaps of quantized integers that are unpacked on the way:
//   out[r][c] = finish(sum over k of left[r][k] * right[k][c]),
// the sum beginning at +0, k from 0 on, one fused multiply-add each. So is it in operators/fused_sum.h, and
// so every instruction set has the same bits: columns lie side by side in registers, never the terms of a
// sum. Which NaN a NaN is, is not defined.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "kernels/aligned_vector.h"
#include "zeropoint/cpu.h"

namespace zeropoint::kernels {

/// Columns of a panel of the right matrix.
inline constexpr std::int64_t kFloatPanel = 16;

/// Panels of integers: right[k][c] = scale * (float(q) - zero), scale and zero of the block that k is in.
struct QuantizedPanels {
  int bits = 0;  ///< 8: bytes [panel][depth][16]; 4: [panel][ceil(depth / 2)][16],
                 ///< the even k in the lower half; 0: the panels are of float32
  const std::uint8_t* integers = nullptr;
  const float* scales = nullptr;  ///< [panel][blocks][16]
  const float* zeros = nullptr;   ///< the same
  std::int64_t block = 0;         ///< neighbours along k that share a scale; even for 4 bits
};

struct FloatDotParams {
  const float* left = nullptr;  ///< row r begins at r * left_step
  std::ptrdiff_t left_step = 0;
  const float* right = nullptr;  ///< panels [columns / 16][depth][16], filled up with anything
  QuantizedPanels quantized;     ///< or these
  std::int64_t depth = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  float* output = nullptr;  ///< element (r, c) at r * output_step + c
  std::ptrdiff_t output_step = 0;

  // finish(sum): bias added (none: null), then x < low ? low : x, then x > high ? high : x.
  const float* row_bias = nullptr;
  const float* column_bias = nullptr;
  bool clamps = false;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

struct FloatDotKernel {
  std::string_view name;
  Isa isa;
  void (*run)(const FloatDotParams& params);
};

/// All that are compiled in, best first.
std::span<const FloatDotKernel> float_dot_kernels();
/// The best that a machine with `isa` runs.
const FloatDotKernel& float_dot_for(Isa isa);

/// Elements of the panels of a right matrix.
inline std::int64_t float_panels_size(std::int64_t depth, std::int64_t columns) {
  return (columns + kFloatPanel - 1) / kFloatPanel * kFloatPanel * depth;
}

/// A matrix whose element (k, c) is at k * depth_step + c * column_step as panels, filled up with zeros.
void pack_float_panels(const float* matrix, std::int64_t depth, std::int64_t columns,
                       std::ptrdiff_t depth_step, std::ptrdiff_t column_step, float* panels);

}  // namespace zeropoint::kernels
