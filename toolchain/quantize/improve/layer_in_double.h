#pragma once

#include <cstddef>
#include <vector>

#include "quantize/improve/weight_rows.h"

namespace zeropoint::toolchain {

/// A layer's weights and bias while they are being scaled, again and again: rounded to float32 once, at the
/// end.
struct LayerInDouble {
  WeightRows rows;
  std::vector<double> weights;
  std::vector<double> bias;  ///< empty where there is none

  static LayerInDouble of(const Graph& graph, const Node& layer);

  /// Calls function(row, input channel, weight) for each weight, which it may change.
  template <typename Function>
  void for_each(Function&& function) {
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
      for (std::int64_t column = 0; column < rows.columns(); ++column) {
        function(static_cast<std::size_t>(row), static_cast<std::size_t>(rows.input_channel(row, column)),
                 weights[rows.element(row, column)]);
      }
    }
  }

  /// Makes them the constants of `layer`, of the same graph.
  void write(Graph& graph, const Node& layer) const;
};

}  // namespace zeropoint::toolchain
