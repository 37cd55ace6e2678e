#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "operators/broadcast.h"
#include "operators/window_taps.h"
#include "zeropoint/tensor.h"

namespace zeropoint::operators {

/// ONNX MatMul (NumPy's matmul): a [batch..., M, K] times b [batch..., K, N], the batches broadcast; a single
/// axis is a row of a, a column of b, and is missing in the result.
struct MatMulGeometry {
  std::int64_t m, k, n;
  Shape batch;                          ///< how many matrices the result has, axis by axis
  std::vector<std::int64_t> a_strides;  ///< between matrices of a along these axes; 0 where one serves all
  std::vector<std::int64_t> b_strides;
  Shape shape;  ///< of the result

  /// kInvalidArgument where the shapes cannot be multiplied.
  static Result<MatMulGeometry> of(const Shape& a, const Shape& b);

  /// Calls function(a_offset, b_offset) for each matrix of the result in order. There must be one.
  template <typename Function>
  void for_each_matrix(Function&& function) const {
    Positions at(batch);
    do {
      std::int64_t a_offset = 0;
      std::int64_t b_offset = 0;
      for (std::size_t i = 0; i < batch.size(); ++i) {
        a_offset += (*at)[i] * a_strides[i];
        b_offset += (*at)[i] * b_strides[i];
      }
      function(a_offset, b_offset);
    } while (at.next());
  }

  /// Calls function(element, row, column) for each element of the result in order, `row` in a
  /// and `column` in b being the offsets of its first factors; the next ones are 1 and n further.
  template <typename Function>
  void for_each(Function&& function) const {
    if (std::ranges::find(shape, 0) != shape.end()) {
      return;
    }
    std::int64_t element = 0;
    for_each_matrix([&](std::int64_t a_offset, std::int64_t b_offset) {
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          function(element++, a_offset + i * k, b_offset + j);
        }
      }
    });
  }
};

}  // namespace zeropoint::operators
