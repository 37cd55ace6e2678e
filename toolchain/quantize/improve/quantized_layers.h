#pragma once

#include <string>
#include <vector>

#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// A layer with quantized weights: where it stands in the float graph, and in the graph that apply_plan()
/// makes of it, whose nodes are those of the float graph in the same order between others.
struct QuantizedLayer {
  std::size_t node;       ///< index in the float graph
  std::size_t quantized;  ///< index in the quantized graph
  const Decision* weights;
  const Decision* bias;  ///< nullptr where it has none
};

/// The layers whose weights the plan quantizes, in order. Pointers are into `plan`.
std::vector<QuantizedLayer> quantized_layers(const Graph& graph, const Graph& quantized,
                                             const QuantPlan& plan);

/// Gives a constant of the float graph new elements of the same shape.
void set_constant(Graph& graph, ValueId id, Tensor tensor);

/// Makes the quantized constant behind input `input` of `node` what `decision` makes of `real`.
Status requantize_constant(Graph& quantized, const Node& node, std::size_t input, const Tensor& real,
                           const Decision& decision);

/// The axis of a layer's output along which its channels lie.
std::int64_t output_channel_axis(const Node& layer, std::int64_t rank);

}  // namespace zeropoint::toolchain
