#include "quantize/improve/channel_divider.h"

#include <algorithm>

#include "quantize/improve/layer_in_double.h"
#include "quantize/improve/quantized_layers.h"

namespace zeropoint::toolchain {

ChannelDivider::ChannelDivider(const Graph& graph)
    : producers_(producers(graph)), consumers_(consumers(graph)) {}

/// A float32 constant along the last axis that nothing else reads.
bool ChannelDivider::is_own(const Graph& graph, ValueId constant) const {
  const Tensor* tensor = constant == kNoValue ? nullptr : graph.value(constant).constant.get();
  return tensor != nullptr && tensor->type() == ElementType::kFloat32 && tensor->rank() >= 1 &&
         tensor->size() == tensor->dim(-1) && consumers_[static_cast<std::size_t>(constant)].size() == 1;
}

ChannelDivider::Target ChannelDivider::target_of(const Graph& graph, ValueId value, bool first) const {
  std::int32_t maker = producers_[static_cast<std::size_t>(value)];
  if (maker < 0) {
    return {"nothing makes its input", {}, nullptr};
  }
  const Node& node = graph.nodes[static_cast<std::size_t>(maker)];
  bool alone = consumers_[static_cast<std::size_t>(value)].size() == 1 &&
               std::count(graph.outputs.begin(), graph.outputs.end(), value) == 0;
  if (!first && !alone) {
    return {"what makes its input is read elsewhere too", {}, nullptr};
  }
  switch (node.op) {
    case Op::kLayerNormalization:
    case Op::kRMSNormalization: {
      std::vector<ValueId> constants(node.inputs.begin() + 1, node.inputs.end());
      std::erase(constants, kNoValue);
      bool own = std::all_of(constants.begin(), constants.end(),
                             [&](ValueId constant) { return is_own(graph, constant); });
      return own ? Target{"", constants, nullptr} : Target{"the gain before it is shared", {}, nullptr};
    }
    case Op::kMul:
      return target_of_product(graph, node);
    case Op::kRelu:
      return target_of(graph, node.inputs[0], false);
    case Op::kGemm:
    case Op::kMatMul: {
      const Tensor* weights = graph.constant(node, 1);
      bool own = weights != nullptr && weights->rank() == 2 && weights->type() == ElementType::kFloat32 &&
                 consumers_[static_cast<std::size_t>(node.inputs[1])].size() == 1 &&
                 (!node.has_input(2) || is_own(graph, node.inputs[2]));
      return own ? Target{"", {}, &node} : Target{"the weights before it are shared", {}, nullptr};
    }
    default:
      return {"a " + std::string(name_of(node.op)) + " before it cannot take a factor", {}, nullptr};
  }
}

ChannelDivider::Target ChannelDivider::target_of_product(const Graph& graph, const Node& node) const {
  Target last{"neither factor before it can be scaled", {}, nullptr};
  for (ValueId factor : node.inputs) {
    if (is_own(graph, factor)) {
      return {"", {factor}, nullptr};
    }
  }
  for (ValueId factor : node.inputs) {
    bool has_channels = graph.value(factor).constant == nullptr && graph.value(factor).dims &&
                        graph.value(node.outputs[0]).dims && !graph.value(factor).dims->empty() &&
                        graph.value(factor).dims->back() == graph.value(node.outputs[0]).dims->back();
    if (has_channels) {
      Target target = target_of(graph, factor, false);
      if (target.why_not.empty()) {
        return target;
      }
      last = target;
    }
  }
  return last;
}

std::string ChannelDivider::why_not(const Graph& graph, ValueId value) const {
  return target_of(graph, value, true).why_not;
}

void ChannelDivider::divide(Graph& graph, ValueId value, const std::vector<double>& divisors) const {
  Target target = target_of(graph, value, true);
  for (ValueId id : target.constants) {
    Tensor tensor = *graph.value(id).constant;
    for (std::size_t i = 0; i < divisors.size(); ++i) {
      float& element = tensor.data<float>()[i];
      element = static_cast<float>(element / divisors[i]);
    }
    set_constant(graph, id, std::move(tensor));
  }
  if (target.layer != nullptr) {
    LayerInDouble layer = LayerInDouble::of(graph, *target.layer);
    layer.for_each([&](std::size_t row, std::size_t, double& weight) { weight /= divisors[row]; });
    for (std::size_t i = 0; i < layer.bias.size(); ++i) {
      layer.bias[i] /= divisors[i];
    }
    layer.write(graph, *target.layer);
  }
}

}  // namespace zeropoint::toolchain
