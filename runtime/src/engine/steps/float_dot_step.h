#pragma once

// Products of float32 matrices, with weights that are packed once or a right operand that a run computes, and
// convolutions as such products. kernels/dot_f32/dot_f32.h says what they compute.

#include <memory>
#include <vector>

#include "engine/step.h"
#include "kernels/dot_f32/dot_f32.h"
#include "kernels/float/float.h"

namespace zeropoint::engine {

/// The right matrix of a product as panels, of float32 or of integers.
struct FloatWeights {
  kernels::AlignedVector<float> panels;
  int bits = 0;  ///< of integers; 0: none, but `panels`
  std::int64_t block = 0;
  kernels::AlignedVector<std::uint8_t> integers;
  kernels::AlignedVector<float> scales;
  kernels::AlignedVector<float> zeros;

  [[nodiscard]] std::int64_t bytes() const;
};

/// Bias and clamp that follow a product, as FloatDotParams has them.
struct FloatEpilogue {
  bool clamps = false;
  float low = 0;
  float high = 0;
  const float* column_bias = nullptr;  ///< of a constant
};

/// [rows, depth] by a matrix of weights.
class FloatLinearStep : public Step {
 public:
  const kernels::FloatDotKernel* kernel = nullptr;
  std::shared_ptr<const FloatWeights> weights;
  FloatEpilogue epilogue;
  Place input;
  Place output;
  std::int64_t rows = 0, depth = 0, columns = 0;

  Status run(const RunContext& context) override;
};

/// Matrices [m, k] by [k, n], both computed.
class FloatMatMulStep : public Step {
 public:
  struct Matrices {
    std::ptrdiff_t a, b;  ///< in elements
  };
  const kernels::FloatDotKernel* kernel = nullptr;
  FloatEpilogue epilogue;
  Place a, b, output;
  Place panels;  ///< of one b
  std::vector<Matrices> matrices;
  std::int64_t m = 0, k = 0, n = 0;
  std::ptrdiff_t b_row = 0, b_column = 0;  ///< from an element of b to the next one's

  Status run(const RunContext& context) override;
};

/// Convolutions over any number of spatial axes: the weights [M, K] by the inputs under some windows at a
/// time, brought side by side.
class FloatConvStep : public Step {
 public:
  static constexpr std::int64_t kPositions = 64;  ///< at a time

  const kernels::FloatDotKernel* kernel = nullptr;
  FloatEpilogue epilogue;  ///< no column_bias
  Place input, weights, bias, output;
  bool has_bias = false;
  Place patches;  ///< for each part, panels of kPositions columns
  std::int64_t batch = 0, group = 1;
  std::int64_t in_channels = 0, out_channels = 0;  ///< of a group
  std::int64_t in_plane = 0, out_plane = 0;
  std::int64_t out_width = 0;
  /// A tap along the last axis: it sees inputs of the positions [begin, end), at `from` + position * stride.
  struct Column {
    std::int64_t begin, end, from;
  };
  std::vector<Column> columns;
  std::int64_t stride = 1;
  /// For each tap along the other axes, the offset of the input row under each row of the output; -1: none.
  std::vector<std::int64_t> rows;
  std::int64_t outer_taps = 1, out_rows = 1;

  [[nodiscard]] std::int64_t depth() const { return in_channels * outer_taps * std::ssize(columns); }
  Status run(const RunContext& context) override;

 private:
  void run_block(const RunContext& context, std::int64_t image, std::int64_t first, float* panels) const;
  void gather(const float* image, std::int64_t first, std::int64_t count, float* panel) const;
};

/// Convolutions of one input channel per group: rows of the output, tap by tap.
class FloatDepthwiseStep : public Step {
 public:
  FloatEpilogue epilogue;
  const kernels::FloatKernels* kernels = nullptr;
  Place input, weights, bias, output;
  bool has_bias = false;
  Place padded;  ///< for each part, a plane with its padding around it
  std::int64_t batch = 0, channels = 0, multiplier = 1;
  std::int64_t height = 0, width = 0, out_height = 0, out_width = 0;
  std::int64_t top = 0, left = 0, padded_height = 0, padded_width = 0;
  std::int64_t stride_h = 1, stride_w = 1;
  std::vector<std::ptrdiff_t> taps;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
