#pragma once

#include <optional>
#include <vector>

#include "simplify/graph_view.h"

namespace zeropoint::toolchain {

/// Weights and bias of a layer as they can be changed channel by channel.
struct LayerParameters {
  Tensor weights;
  std::vector<double> bias;  ///< one per output channel, zeros where there is none

  [[nodiscard]] std::int64_t channels() const { return static_cast<std::int64_t>(bias.size()); }
};

/// Those of a Conv, ConvTranspose or Gemm (alpha = beta = 1) with constant float32 weights and bias that
/// makes `result`, where one node alone reads that; none for other values.
std::optional<LayerParameters> layer_parameters(const GraphView& view, ValueId result);

/// The layer that makes `result` with its output channel m being
///     factors[m] * y[m] + addends[m]
/// as a node that makes `output`. The products are taken in double and rounded once. None where a factor is
/// not finite. Its constants are named after those it replaces.
std::optional<Node> scaled_layer(Graph& graph, NewNames& names, const Node& layer,
                                 const LayerParameters& parameters, const std::vector<double>& factors,
                                 const std::vector<double>& addends, ValueId output);

/// The elements of a constant that has one for each of `channels` along axis 1 of a tensor of `rank` axes, or
/// one for all: [1, C, 1, 1], [C, 1, 1], [C] for rank 2, [], ...
std::optional<std::vector<double>> per_channel(const Tensor& constant, std::int64_t channels,
                                               std::size_t rank);

}  // namespace zeropoint::toolchain
