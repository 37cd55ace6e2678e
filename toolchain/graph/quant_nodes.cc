#include "graph/quant_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

Granularity granularity_of(const Node& node, const Tensor& scale) {
  std::int64_t block = int_attribute(node, "block_size");
  std::int64_t axis = int_attribute(node, "axis");
  if (block > 0) {
    return Granularity::per_group(axis, block);
  }
  // A scale of one element is per tensor whether it is written as [] or as [1].
  return scale.size() == 1 ? Granularity::per_tensor() : Granularity::per_channel(axis);
}

}  // namespace

Result<QuantNode> read_quant_node(const Graph& graph, const Node& node) {
  const Tensor* scale = graph.constant(node, 1);
  bool has_zero_point = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  const Tensor* zero_point = graph.constant(node, 2);
  if (scale == nullptr || (has_zero_point && zero_point == nullptr)) {
    return Status::unsupported(describe(node) + ": scale and zero point must be constants");
  }
  if (scale->type() != ElementType::kFloat32) {
    return Status::unsupported(fmt::format("{}: its scale is {}; integers are computed for float32 ones",
                                           describe(node), name_of(scale->type())));
  }
  ValueId quantized = node.op == Op::kQuantizeLinear ? node.outputs[0] : node.inputs[0];
  QuantNode result{{granularity_of(node, *scale), {}}, graph.value(quantized).type};
  for (float s : scale->data<float>()) {
    if (!std::isnormal(s) || s < 0) {
      return Status::invalid_argument(
          fmt::format("{}: scale {} is not a positive normal number", describe(node), s));
    }
    result.params.params.push_back({s, 0});
  }
  if (scale->size() == 0 || (zero_point != nullptr && zero_point->size() != scale->size())) {
    return Status::invalid_argument(fmt::format(
        "{}: scale {} and zero point {} do not fit", describe(node), to_string(dims_of(scale->shape())),
        zero_point == nullptr ? "" : to_string(dims_of(zero_point->shape()))));
  }
  if (zero_point != nullptr) {
    visit_integer(zero_point->type(), [&](auto element) {
      std::span<const decltype(element)> values = zero_point->data<decltype(element)>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        result.params.params[i].zero_point = static_cast<std::int64_t>(values[i]);
      }
    });
  }
  return result;
}

bool carries_reals(const Graph& graph, const Node& node) {
  auto real = [&](ValueId id) { return id != kNoValue && is_real(graph.value(id).type); };
  return std::any_of(node.outputs.begin(), node.outputs.end(), real) ||
         std::any_of(node.inputs.begin(), node.inputs.end(), real);
}

}  // namespace zeropoint::toolchain
