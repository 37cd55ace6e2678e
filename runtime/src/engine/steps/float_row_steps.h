#pragma once

// Steps on float32 tensors as they are: softmax, normalizations, pools.

#include <vector>

#include "engine/step.h"
#include "engine/steps/image_steps.h"
#include "kernels/float/float.h"

namespace zeropoint::engine {

/// ONNX Softmax or LogSoftmax over [outer, extent, inner].
class FloatSoftmaxStep : public Step {
 public:
  const kernels::FloatKernels* kernels = nullptr;
  Place from, to;
  Place lanes;  ///< of 2 * inner floats
  std::int64_t outer = 0, extent = 0, inner = 0;
  bool logarithm = false;

  Status run(const RunContext& context) override;
};

/// ONNX LayerNormalization, RMSNormalization, InstanceNormalization and GroupNormalization: sets of `count`
/// neighbours. Within a set, stretches of `stretch` elements share gain and bias (count / stretch of each
/// for a set, which go round after `periods` sets), or each element has its own (stretch 0).
class FloatNormalizeStep : public Step {
 public:
  const kernels::FloatKernels* kernels = nullptr;
  Place from, to, gain, bias;
  bool has_bias = false;
  bool centers = true;
  double epsilon = 0;
  std::int64_t sets = 0, count = 0;
  std::int64_t stretch = 0;
  std::int64_t periods = 1;

  Status run(const RunContext& context) override;
};

/// ONNX BatchNormalization as in inference: y = (x - mean) * (gain / sqrt(variance + epsilon)) + bias.
class FloatBatchNormalizeStep : public Step {
 public:
  Place from, to, gain, bias, mean, variance;
  double epsilon = 0;
  std::int64_t batch = 0, channels = 0, plane = 0;

  Status run(const RunContext& context) override;
};

/// ONNX MaxPool and AveragePool over planes of one or two axes.
class FloatPoolStep : public Step {
 public:
  Place from, to;
  bool averages = false, counts_padding = false;
  std::int64_t planes = 0, height = 0, width = 0;
  std::int64_t row_dilation = 1, column_dilation = 1;
  std::vector<PoolTaps> rows, columns;  ///< of each row and column of the output

  Status run(const RunContext& context) override;
};

/// ONNX GlobalAveragePool.
class FloatGlobalMeanStep : public Step {
 public:
  Place from, to;
  std::int64_t planes = 0, plane = 0;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
