#pragma once

#include <span>
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
  const Decision* bias;   ///< nullptr where it has none, or one that stays in float
  const Decision* input;  ///< see input_decision()
};

/// More than the sum of products of a layer can be, in steps: inputs and their zero point are below 2^bits,
/// weights at most q_max. 0 where that could leave int32 by itself: the sum is then one of 64 bits, in which
/// a bias of 32 has room.
std::int64_t products_below(std::int64_t depth, QuantizedType input, QuantizedType weights);

/// How the plan quantizes what a layer reads as its input; nullptr where that stays in float, or each run
/// finds its range.
const Decision* input_decision(const Graph& graph, const QuantPlan& plan, const Node& layer);

/// The layers whose weights the plan quantizes, in order. Pointers are into `plan`.
std::vector<QuantizedLayer> quantized_layers(const Graph& graph, const Graph& quantized,
                                             const QuantPlan& plan);

/// Gives a constant of the float graph new elements of the same shape.
void set_constant(Graph& graph, ValueId id, Tensor tensor);

/// Makes the quantized constant behind input `input` of `node` what `decision` makes of `real`.
Status requantize_constant(Graph& quantized, const Node& node, std::size_t input, const Tensor& real,
                           const Decision& decision);

/// Adds `shift`, one per output channel, to the bias of a layer that has one, in both graphs. False, and
/// nothing done, where it would then not fit the int32 accumulator.
Result<bool> shift_bias(Graph& graph, Graph& quantized, const QuantizedLayer& layer,
                        std::span<const double> shift);

/// Gives a layer other weights, in both graphs. kInternal unless plain quantization of them by the plan's
/// scales gives `integers`, which were meant.
Status set_weights(Graph& graph, Graph& quantized, const QuantizedLayer& layer, const Tensor& integers);

}  // namespace zeropoint::toolchain
