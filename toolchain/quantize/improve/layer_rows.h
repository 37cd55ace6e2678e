#pragma once

#include <span>
#include <vector>

#include "quantize/improve/matrix.h"
#include "quantize/improve/weight_rows.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/window.h"

namespace zeropoint::toolchain {

/// What a layer multiplies its weights with, as rows: for each element of a channel of its result the inputs
/// that are weighed, in the order of WeightRows' columns (im2col).
class LayerRows {
 public:
  /// For Conv, ConvTranspose, Gemm and MatMul with weights [in, out]; kUnsupported, with the reason, for
  /// others.
  static Result<LayerRows> of(const Graph& graph, const Node& layer);

  /// The rows that an input of that shape gives.
  [[nodiscard]] Result<std::int64_t> rows(const Shape& input) const;
  /// The rows `selected` of `input` for the weights of `group`: [selected, columns]. Padding gives 0.
  [[nodiscard]] Result<MatrixF> gather(const Tensor& input, std::span<const std::int64_t> selected,
                                       std::int64_t group) const;

 private:
  explicit LayerRows(const Node& layer, WeightRows weights)
      : layer_(layer), weights_(weights), is_transposed_(layer.op == Op::kConvTranspose) {}
  [[nodiscard]] Result<WindowGeometry> window_over(const Shape& input) const;
  [[nodiscard]] MatrixF gather_windows(const Tensor& input, std::span<const std::int64_t> selected,
                                       std::int64_t group, const WindowGeometry& window) const;

  Node layer_;
  WeightRows weights_;
  bool is_transposed_;
  std::vector<std::int64_t> kernel_;  ///< empty: no convolution
};

}  // namespace zeropoint::toolchain
