#include "quantize/plan_biases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/node_role.h"

namespace zeropoint::toolchain {
namespace {

/// The output channels of a layer with constant weights.
std::int64_t channels_of(const Graph& graph, const Node& layer) {
  const Tensor& weights = *graph.constant(layer, 1);
  return layer.op == Op::kConvTranspose ? weights.dim(1) * int_attribute(layer, "group")
                                        : weights.dim(channel_axis(graph, layer).value_or(0));
}

Status take(Graph& graph, const Decision& decision) {
  ValueId id = graph.find(decision.tensor);
  auto layer = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    bool is_layer = role_of(graph, node).kind == NodeRole::Kind::kLayer;
    return is_layer &&
           (id != kNoValue ? node.has_input(2) && node.inputs[2] == id : node.name == decision.layer);
  });
  if (layer == graph.nodes.end()) {
    return Status::not_found(
        decision.layer.empty()
            ? "no layer has it as its bias"
            : fmt::format("it is the bias of '{}', which is no layer of the graph", decision.layer));
  }
  auto count = static_cast<std::int64_t>(decision.values.size());
  if (count != channels_of(graph, *layer)) {
    return Status::invalid_argument(
        fmt::format("{} needs {} values, not {}", describe(*layer), channels_of(graph, *layer), count));
  }
  if (!std::ranges::all_of(decision.values, [](float value) { return std::isfinite(value); })) {
    return Status::invalid_argument("its values are not all finite");
  }
  auto bias = std::make_shared<const Tensor>(Tensor::of<float>({count}, decision.values));
  if (id != kNoValue) {
    graph.value(id).constant = std::move(bias);
    return {};
  }
  if (layer->op == Op::kMatMul || layer->has_input(2)) {
    return Status::invalid_argument(fmt::format("{} cannot take it as its bias", describe(*layer)));
  }
  layer->inputs.resize(3, kNoValue);
  layer->inputs[2] = graph.add_constant(decision.tensor, *bias);
  return {};
}

}  // namespace

void note_biases(const Graph& before, const Graph& after, QuantPlan& plan) {
  for (const Node& node : after.nodes) {
    const Tensor* bias = role_of(after, node).kind == NodeRole::Kind::kLayer && node.op != Op::kMatMul
                             ? after.constant(node, 2)
                             : nullptr;
    if (bias == nullptr) {
      continue;
    }
    const std::string& name = after.value(node.inputs[2]).name;
    ValueId known = before.find(name);
    const Tensor* old = known == kNoValue ? nullptr : before.value(known).constant.get();
    auto decision = std::find_if(plan.decisions.begin(), plan.decisions.end(),
                                 [&](const Decision& one) { return one.tensor == name; });
    bool same = old != nullptr && std::ranges::equal(old->data<float>(), bias->data<float>());
    if (decision == plan.decisions.end() || same) {
      continue;
    }
    decision->values.assign(bias->data<float>().begin(), bias->data<float>().end());
    decision->layer = old == nullptr ? node.name : "";
  }
}

QuantPlan without_biases(QuantPlan plan) {
  std::erase_if(plan.decisions, [](const Decision& decision) { return !decision.layer.empty(); });
  for (Decision& decision : plan.decisions) {
    decision.values.clear();
  }
  return plan;
}

Result<Graph> with_biases(const Graph& graph, const QuantPlan& plan) {
  Graph result = graph;
  for (const Decision& decision : plan.decisions) {
    if (!decision.values.empty()) {
      ZP_RETURN_IF_ERROR(take(result, decision).at("plan for tensor '" + decision.tensor + "'"));
    }
  }
  return result;
}

}  // namespace zeropoint::toolchain
