#pragma once

#include <vector>

#include "engine/step.h"
#include "kernels/dot/dot.h"
#include "kernels/elementwise/elementwise.h"

namespace zeropoint::engine {

/// Products of two computed tensors: with a and b the bytes, b less 128 as the kernels want it,
///
///     sum (a - Za) (b - Zb) = sum a b - Zb sum a - Za sum b + K Za Zb,
///
/// so that the sums over the rows of a and the columns of b become biases.
class MatMulStep : public Step {
 public:
  struct Matrix {
    std::ptrdiff_t a, b;  ///< where its factors begin
  };

  Place a, b, output;
  std::vector<Matrix> matrices;
  std::int64_t m = 0, k = 0, n = 0;
  std::int32_t a_zero_point = 0;
  std::int32_t b_zero_point = 0;  ///< less 128
  const kernels::DotKernel* kernel = nullptr;
  const kernels::ElementwiseKernels* elementwise = nullptr;
  kernels::Epilogue epilogue;
  kernels::AlignedVector<float> multipliers;  ///< one for all channels
  // Of each of the matrices, so that threads can work on several.
  Place packed;  ///< b in panels
  std::int64_t packed_bytes = 0;
  Place column_bias;  ///< int32, of whole panels
  Place row_bias;     ///< int32

  Status run(const RunContext& context) override;

 private:
  void pack(const RunContext& context, std::int64_t i) const;
  void multiply(const RunContext& context, std::int64_t i, std::int64_t first, std::int64_t end) const;
};

}  // namespace zeropoint::engine
