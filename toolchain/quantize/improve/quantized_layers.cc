#include "quantize/improve/quantized_layers.h"

#include <memory>

#include "quantize/node_role.h"

namespace zeropoint::toolchain {

std::vector<QuantizedLayer> quantized_layers(const Graph& graph, const Graph& quantized,
                                             const QuantPlan& plan) {
  // apply_plan() keeps the names of results, or adds "_real" to those that the graph gives.
  auto stands_for = [&](const Node& copy, const Node& node) {
    const std::string& name = graph.value(node.outputs[0]).name;
    const std::string& copied = quantized.value(copy.outputs[0]).name;
    return copy.op == node.op && (copied == name || copied.starts_with(name + "_real"));
  };
  std::vector<QuantizedLayer> layers;
  std::size_t next = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (role_of(graph, node).kind != NodeRole::Kind::kLayer) {
      continue;
    }
    const Decision* weights = plan.find(graph.value(node.inputs[1]).name);
    while (next < quantized.nodes.size() && !stands_for(quantized.nodes[next], node)) {
      ++next;
    }
    if (next < quantized.nodes.size() && weights != nullptr) {
      layers.push_back(
          {i, next, weights, node.has_input(2) ? plan.find(graph.value(node.inputs[2]).name) : nullptr});
    }
    ++next;
  }
  return layers;
}

void set_constant(Graph& graph, ValueId id, Tensor tensor) {
  graph.value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
}

Status requantize_constant(Graph& quantized, const Node& node, std::size_t input, const Tensor& real,
                           const Decision& decision) {
  std::vector<std::int32_t> made_by = producers(quantized);
  const Node& dequantize = quantized.nodes[static_cast<std::size_t>(
      made_by[static_cast<std::size_t>(node.inputs[input])])];
  ZP_ASSIGN_OR_RETURN(Tensor integers, quantize(real, decision.params, decision.type));
  set_constant(quantized, dequantize.inputs[0], std::move(integers));
  return {};
}

std::int64_t output_channel_axis(const Node& layer, std::int64_t rank) {
  return layer.op == Op::kConv || layer.op == Op::kConvTranspose ? 1 : rank - 1;
}

}  // namespace zeropoint::toolchain
