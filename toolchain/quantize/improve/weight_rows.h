#pragma once

#include <cstddef>
#include <cstdint>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The weights of a layer as a matrix: a row per output channel, its columns the inputs that are weighed, a
/// window's channel by channel, so that result = row * column of inputs + bias. Layers whose output channels
/// read different inputs have groups of neighbouring rows.
class WeightRows {
 public:
  /// Those of a Conv, ConvTranspose, Gemm, or MatMul with weights [in, out]; `layer` has constant weights.
  static WeightRows of(const Graph& graph, const Node& layer);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t groups() const { return groups_; }
  [[nodiscard]] std::int64_t rows_per_group() const { return rows_ / groups_; }

  /// Where the weight lies in the tensor.
  [[nodiscard]] std::size_t element(std::int64_t row, std::int64_t column) const;
  /// The channel of the layer's input that it weighs.
  [[nodiscard]] std::int64_t input_channel(std::int64_t row, std::int64_t column) const {
    return row / rows_per_group() * (columns_ / window_) + column / window_;
  }

 private:
  enum class Order : std::uint8_t { kRows, kColumns, kTransposedConv } order_ = Order::kRows;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::int64_t groups_ = 1;
  std::int64_t window_ = 1;  // weights of one input channel in a row
};

}  // namespace zeropoint::toolchain
