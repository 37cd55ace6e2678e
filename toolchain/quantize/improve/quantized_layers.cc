#include "quantize/improve/quantized_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "quantize/improve/weight_rows.h"
#include "quantize/node_role.h"

namespace zeropoint::toolchain {

const Decision* input_decision(const Graph& graph, const QuantPlan& plan, const Node& layer) {
  const std::string& tensor = graph.value(layer.inputs[0]).name;
  for (const Decision& decision : plan.decisions) {
    bool names_it = decision.tensor == tensor && std::find(decision.readers.begin(), decision.readers.end(),
                                                           layer.name) != decision.readers.end();
    if (names_it) {
      return decision.dynamic ? nullptr : &decision;
    }
  }
  return plan.find(tensor);
}

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
      layers.push_back({i, next, weights,
                        node.has_input(2) ? plan.find(graph.value(node.inputs[2]).name) : nullptr,
                        input_decision(graph, plan, node)});
    }
    ++next;
  }
  return layers;
}

std::int64_t products_below(std::int64_t depth, QuantizedType input, QuantizedType weights) {
  double products = static_cast<double>(depth) * std::ldexp(2, input.bits + weights.bits - 1);
  return products < 0x1p31 ? static_cast<std::int64_t>(products) : 0;
}

void set_constant(Graph& graph, ValueId id, Tensor tensor) {
  graph.value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
}

Status requantize_constant(Graph& quantized, const Node& node, std::size_t input, const Tensor& real,
                           const Decision& decision) {
  std::int32_t maker = producers(quantized)[static_cast<std::size_t>(node.inputs[input])];
  const Node* dequantize = maker < 0 ? nullptr : &quantized.nodes[static_cast<std::size_t>(maker)];
  if (dequantize == nullptr || dequantize->op != Op::kDequantizeLinear ||
      quantized.constant(*dequantize, 0) == nullptr) {
    return Status::internal(
        fmt::format("{}: no DequantizeLinear of a constant gives input {}", describe(node), input));
  }
  ZP_ASSIGN_OR_RETURN(QuantizedRange range, decision.type.range());
  ElementType storage = quantized.constant(*dequantize, 0)->type();
  ZP_ASSIGN_OR_RETURN(Tensor integers, quantize(real, decision.params, range, storage));
  set_constant(quantized, dequantize->inputs[0], std::move(integers));
  return {};
}

Result<bool> shift_bias(Graph& graph, Graph& quantized, const QuantizedLayer& layer,
                        std::span<const double> shift) {
  const Node& node = graph.nodes[layer.node];
  Tensor bias = *graph.constant(node, 2);
  std::span<float> elements = bias.data<float>();
  std::int64_t reserve = layer.input == nullptr ? 0
                                                : products_below(WeightRows::of(graph, node).columns(),
                                                                 layer.input->type, layer.weights->type);
  for (std::size_t c = 0; c < elements.size(); ++c) {
    elements[c] = static_cast<float>(elements[c] + shift[c]);
    if (layer.bias != nullptr) {
      const std::vector<QuantParams>& params = layer.bias->params.params;
      double steps = std::fabs(elements[c]) / params[params.size() == 1 ? 0 : c].scale;
      if (!(steps + static_cast<double>(reserve) < 0x1p31)) {
        return false;
      }
    }
  }
  const Node& copy = quantized.nodes[layer.quantized];
  if (layer.bias != nullptr) {
    ZP_RETURN_IF_ERROR(requantize_constant(quantized, copy, 2, bias, *layer.bias));
  } else {
    set_constant(quantized, copy.inputs[2], bias);
  }
  set_constant(graph, node.inputs[2], std::move(bias));
  return true;
}

Status set_weights(Graph& graph, Graph& quantized, const QuantizedLayer& layer, const Tensor& integers) {
  const Node& node = graph.nodes[layer.node];
  ZP_ASSIGN_OR_RETURN(Tensor reals, dequantize(integers, layer.weights->params));
  ZP_ASSIGN_OR_RETURN(Tensor again, quantize(reals, layer.weights->params, layer.weights->type));
  if (!(again == integers)) {
    return Status::internal(describe(node) + ": rounded weights are not those of the plan's scales");
  }
  ZP_RETURN_IF_ERROR(
      requantize_constant(quantized, quantized.nodes[layer.quantized], 1, reals, *layer.weights));
  set_constant(graph, node.inputs[1], std::move(reals));
  return {};
}

}  // namespace zeropoint::toolchain
