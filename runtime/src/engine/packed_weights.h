#pragma once

// Weights alone in integers: a constant matrix that a DequantizeLinear makes real for products in float32.
// Its integers stay as they are, and the kernels make them real on the way.

#include <memory>
#include <optional>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint::engine {

struct FloatWeights;

/// A DequantizeLinear of a constant matrix [K, N] of at most 8 bits, by constant float32 scales for all of
/// it, for each column, or for each block along K of each column.
struct DequantizedMatrix {
  const Tensor* integers;
  const Tensor* scales;
  const Tensor* zeros;   ///< none: 0
  std::int64_t block;    ///< elements along K that share a scale
  bool one_for_columns;  ///< one scale for all columns
};

/// `op` so, where nothing but products by the matrix from the right read what it makes; `readers` are the
/// operations that do.
std::optional<DequantizedMatrix> dequantized_matrix(const Program& program, const EvaluateOp& op,
                                                    const std::vector<std::size_t>& readers);

std::shared_ptr<const FloatWeights> pack_integers(const DequantizedMatrix& matrix);

}  // namespace zeropoint::engine
