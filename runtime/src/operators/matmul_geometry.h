#pragma once

#include <cstdint>
#include <vector>

#include "operators/broadcast.h"
#include "zeropoint/tensor.h"

namespace zeropoint::operators {

/// ONNX MatMul (NumPy's matmul): a [batch..., M, K] times b [batch..., K, N], the batches broadcast; a single
/// axis is a row of a, a column of b, and is missing in the result.
struct MatMulGeometry {
  std::int64_t m, k, n;
  std::vector<std::int64_t> a_offsets;  ///< of the matrices of a, one per matrix of the result
  std::vector<std::int64_t> b_offsets;
  Shape shape;  ///< of the result

  /// kInvalidArgument where the shapes cannot be multiplied.
  static Result<MatMulGeometry> of(const Shape& a, const Shape& b);

  /// Calls function(element, row, column) for each element of the result in order, `row` in a
  /// and `column` in b being the offsets of its first factors; the next ones are 1 and n further.
  template <typename Function>
  void for_each(Function&& function) const {
    std::int64_t element = 0;
    for (std::size_t batch = 0; batch < a_offsets.size(); ++batch) {
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          function(element++, a_offsets[batch] + i * k, b_offsets[batch] + j);
        }
      }
    }
  }
};

}  // namespace zeropoint::operators
