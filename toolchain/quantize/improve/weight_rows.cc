#include "quantize/improve/weight_rows.h"

namespace zeropoint::toolchain {

WeightRows WeightRows::of(const Graph& graph, const Node& layer) {
  const Tensor& weights = *graph.constant(layer, 1);
  WeightRows rows;
  switch (layer.op) {
    case Op::kConv:
      rows.groups_ = int_attribute(layer, "group");
      rows.rows_ = weights.dim(0);
      rows.columns_ = weights.size() / rows.rows_;
      rows.window_ = rows.columns_ / weights.dim(1);
      break;
    case Op::kConvTranspose:
      rows.order_ = Order::kTransposedConv;
      rows.groups_ = int_attribute(layer, "group");
      rows.rows_ = weights.dim(1) * rows.groups_;
      rows.columns_ = weights.size() / rows.rows_;
      rows.window_ = weights.size() / (weights.dim(0) * weights.dim(1));
      break;
    default: {
      bool transposed = layer.op == Op::kGemm && int_attribute(layer, "transB") != 0;
      rows.order_ = transposed ? Order::kRows : Order::kColumns;
      rows.rows_ = weights.dim(transposed ? 0 : -1);
      rows.columns_ = weights.size() / rows.rows_;
      break;
    }
  }
  return rows;
}

std::size_t WeightRows::element(std::int64_t row, std::int64_t column) const {
  switch (order_) {
    case Order::kRows:
      return static_cast<std::size_t>(row * columns_ + column);
    case Order::kColumns:
      return static_cast<std::size_t>(column * rows_ + row);
    default: {
      // [input channels, rows of a group, window]
      std::int64_t group = row / rows_per_group();
      std::int64_t channel = group * (columns_ / window_) + column / window_;
      return static_cast<std::size_t>((channel * rows_per_group() + row % rows_per_group()) * window_ +
                                      column % window_);
    }
  }
}

}  // namespace zeropoint::toolchain
