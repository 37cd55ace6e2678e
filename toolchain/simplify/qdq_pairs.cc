#include "simplify/qdq_pairs.h"

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

/// A constant's elements; where it is no constant, its name.
std::string content_of(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.value(id).constant.get();
  return tensor == nullptr ? "?" + graph.value(id).name
                           : std::string(reinterpret_cast<const char*>(tensor->bytes()), tensor->byte_size());
}

}  // namespace

bool is_single(const Tensor& tensor) { return tensor.rank() <= 1 && tensor.size() == 1; }

std::string base_name(const std::string& quantized) {
  constexpr std::string_view kSuffix = "_quantized";
  bool ends = quantized.size() > kSuffix.size() && std::string_view(quantized).ends_with(kSuffix);
  return ends ? quantized.substr(0, quantized.size() - kSuffix.size()) : quantized;
}

QdqPairs::QdqPairs(const Graph& original, Graph& graph)
    : original_(original), graph_(graph), names_(original) {
  for (std::size_t i = 0; i < original.nodes.size(); ++i) {
    const Node& node = original.nodes[i];
    if (node.op == Op::kDequantizeLinear && node.attributes.empty()) {
      nodes_.try_emplace(key_of(node), i);
    }
  }
}

QdqPairs::Key QdqPairs::key_of(ValueId quantized, QuantValues params,
                               std::optional<std::int64_t> axis) const {
  std::string zero_points = params.zero_point == kNoValue ? "" : content_of(graph_, params.zero_point);
  return {quantized, content_of(graph_, params.scale),
          zero_points.find_first_not_of('\0') == std::string::npos ? "" : zero_points, axis};
}

QdqPairs::Key QdqPairs::key_of(const Node& dequantize) const {
  QuantValues params{dequantize.inputs[1], dequantize.has_input(2) ? dequantize.inputs[2] : kNoValue};
  const Tensor* scale = constant(params.scale);
  bool per_tensor = scale != nullptr && is_single(*scale);
  return key_of(dequantize.inputs[0], params,
                per_tensor ? std::nullopt : std::optional(int_attribute(dequantize, "axis")));
}

ValueId QdqPairs::real_of(ValueId quantized) {
  std::string base = base_name(graph_.value(quantized).name);
  return graph_.add_value(unused(names_.is_taken(base) ? base + "_real" : base));
}

ValueId QdqPairs::add_constant(const std::string& name, Tensor tensor) {
  return graph_.add_constant(unused(name), std::move(tensor));
}

ValueId QdqPairs::dequantized(ValueId quantized, QuantValues params, std::optional<std::int64_t> axis) {
  Key key = key_of(quantized, params, axis);
  if (auto found = dequantized_.find(key); found != dequantized_.end()) {
    return found->second;
  }
  if (auto found = nodes_.find(key); found != nodes_.end()) {
    const Node& node = original_.nodes[found->second];
    moved_.insert(found->second);
    graph_.nodes.push_back(node);
    return dequantized_[key] = node.outputs[0];
  }
  std::string base = base_name(graph_.value(quantized).name);
  std::vector<ValueId> inputs{quantized, params.scale};
  if (params.zero_point != kNoValue) {
    inputs.push_back(params.zero_point);
  }
  Attributes attributes;
  if (axis) {
    attributes["axis"] = *axis;
  }
  return dequantized_[key] = graph_.add_node(Op::kDequantizeLinear, base + "_dequantize", std::move(inputs),
                                             unused(base + "_dequantized"), std::move(attributes));
}

void QdqPairs::keep_dequantize(std::size_t index) {
  if (moved_.count(index) != 0) {
    return;
  }
  const Node& node = original_.nodes[index];
  graph_.nodes.push_back(node);
  if (node.attributes.empty()) {
    dequantized_.try_emplace(key_of(node), node.outputs[0]);
  }
}

void QdqPairs::quantize(ValueId real, QuantValues params, ValueId quantized) {
  std::vector<ValueId> inputs{real, params.scale};
  if (params.zero_point != kNoValue) {
    inputs.push_back(params.zero_point);
  }
  graph_.nodes.push_back({Op::kQuantizeLinear,
                          base_name(graph_.value(quantized).name) + "_quantize",
                          std::move(inputs),
                          {quantized},
                          {}});
}

bool QdqPairs::is_per_tensor(QuantValues params) const {
  const Tensor* scale = constant(params.scale);
  const Tensor* zero_point = constant(params.zero_point);
  return scale != nullptr && scale->type() == ElementType::kFloat32 && is_single(*scale) &&
         (params.zero_point == kNoValue || (zero_point != nullptr && is_single(*zero_point)));
}

bool QdqPairs::is_per_channel(QuantValues params) const {
  const Tensor* scale = constant(params.scale);
  const Tensor* zero_point = constant(params.zero_point);
  return scale != nullptr && scale->type() == ElementType::kFloat32 && scale->rank() == 1 &&
         scale->size() > 1 &&
         (params.zero_point == kNoValue || (zero_point != nullptr && zero_point->shape() == scale->shape()));
}

ValueId QdqPairs::weights(ValueId quantized, QuantValues params, std::int64_t axis) {
  return dequantized(quantized, params, is_per_tensor(params) ? std::nullopt : std::optional(axis));
}

ValueId QdqPairs::bias(ValueId quantized, float input_scale, const Tensor& weight_scales) {
  bool single = is_single(weight_scales);
  Tensor scale(ElementType::kFloat32, single ? Shape{} : weight_scales.shape());
  std::transform(weight_scales.data<float>().begin(), weight_scales.data<float>().end(),
                 scale.data<float>().begin(), [&](float s) { return input_scale * s; });
  std::string base = base_name(graph_.value(quantized).name);
  Tensor zero_point(ElementType::kInt32, scale.shape());
  QuantValues params{add_constant(base + "_scale", std::move(scale)),
                     add_constant(base + "_zero_point", std::move(zero_point))};
  return dequantized(quantized, params, single ? std::nullopt : std::optional<std::int64_t>(0));
}

}  // namespace zeropoint::toolchain
