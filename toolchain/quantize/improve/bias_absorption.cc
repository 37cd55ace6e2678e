#include "quantize/improve/bias_absorption.h"

#include <fmt/format.h>

#include <algorithm>

#include "quantize/improve/layer_in_double.h"
#include "quantize/improve/layer_pairs.h"

namespace zeropoint::toolchain {
namespace {

/// Why c cannot be moved through what stands between the layers; empty where it can.
std::string why_not_absorbed(const Graph& graph, const LayerPair& pair) {
  const Node& second = graph.nodes[pair.second];
  bool relu = pair.between.size() == 1 && graph.nodes[pair.between[0]].op == Op::kRelu;
  if (!relu) {
    return "no Relu alone stands behind it";
  }
  if (!graph.nodes[pair.first].has_input(2) || !second.has_input(2)) {
    return "it or the layer behind it has no bias";
  }
  std::vector<std::int64_t> pads = ints_attribute(second, "pads");
  bool pads_some = std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; }) ||
                   string_attribute(second, "auto_pad").starts_with("SAME");
  // A ConvTranspose adds fewer products at its border.
  return second.op == Op::kConvTranspose || (second.op == Op::kConv && pads_some)
             ? "the padding behind it would stand for the absorbed part"
             : "";
}

}  // namespace

std::vector<ValueId> rectified_layers(const Graph& graph) {
  std::vector<ValueId> values;
  for (const LayerPair& pair : layer_pairs(graph).pairs) {
    if (why_not_absorbed(graph, pair).empty()) {
      values.push_back(graph.nodes[pair.first].outputs[0]);
    }
  }
  return values;
}

std::vector<LayerNote> absorb_high_bias(Graph& graph, const ChannelRanges& ranges) {
  LayerPairs found = layer_pairs(graph);
  std::vector<LayerNote> notes = std::move(found.refused);
  for (const LayerPair& pair : found.pairs) {
    const Node& node = graph.nodes[pair.first];
    std::string why = why_not_absorbed(graph, pair);
    auto range = ranges.find(node.outputs[0]);
    if (why.empty() && range == ranges.end()) {
      why = "the ranges of its channels are not known";
    }
    auto never_below_0 = [](const RealRange& channel) { return channel.r_min > 0; };
    if (why.empty() && std::none_of(range->second.begin(), range->second.end(), never_below_0)) {
      why = "all its channels reach down to 0";
    }
    if (!why.empty()) {
      notes.push_back({describe(node), false, std::move(why)});
      continue;
    }
    LayerInDouble first = LayerInDouble::of(graph, node);
    LayerInDouble second = LayerInDouble::of(graph, graph.nodes[pair.second]);
    std::vector<double> absorbed;
    for (std::size_t c = 0; c < first.bias.size(); ++c) {
      absorbed.push_back(std::max(0.0F, range->second[c].r_min));
      first.bias[c] -= absorbed[c];
    }
    second.for_each([&](std::size_t row, std::size_t channel, double weight) {
      second.bias[row] += weight * absorbed[channel];
    });
    first.write(graph, node);
    second.write(graph, graph.nodes[pair.second]);
    notes.push_back({describe(node), true,
                     fmt::format("up to {:.4g} of {} channels moved into the bias of {}",
                                 *std::max_element(absorbed.begin(), absorbed.end()),
                                 std::count_if(range->second.begin(), range->second.end(), never_below_0),
                                 describe(graph.nodes[pair.second]))});
  }
  return notes;
}

}  // namespace zeropoint::toolchain
