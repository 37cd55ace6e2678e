#pragma once

// Quantization by ranges that a run finds, and products of what it gives with constant weights.

#include <memory>

#include "engine/layer_cache.h"
#include "engine/step.h"
#include "kernels/dot/dot.h"
#include "kernels/elementwise/elementwise.h"

namespace zeropoint::engine {

/// ONNX DynamicQuantizeLinear.
class DynamicQuantizeStep : public Step {
 public:
  const kernels::ElementwiseKernels* kernels = nullptr;
  Place from, to, scale, zero_point;
  std::int64_t count = 0;

  Status run(const RunContext& context) override;
};

/// A matrix of weights [depth, columns] for a dot kernel, and the sum of each column.
struct IntegerWeights {
  kernels::AlignedVector<std::int8_t> packed;
  std::vector<std::int32_t> sums;

  [[nodiscard]] std::int64_t bytes() const {
    return static_cast<std::int64_t>(packed.size() + 4 * sums.size());
  }
};

/// ONNX MatMulInteger by constant int8 weights without a zero point; that of the rows is computed, or none.
class MatMulIntegerStep : public Step {
 public:
  const kernels::DotKernel* kernel = nullptr;
  std::shared_ptr<const IntegerWeights> weights;
  Place input, zero_point, output;
  bool has_zero_point = false;
  std::int32_t shift = 0;  ///< 128 where the rows are int8, kept as uint8
  Place bias;              ///< int32, one for each column of whole panels
  std::int64_t rows = 0, depth = 0, columns = 0;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
