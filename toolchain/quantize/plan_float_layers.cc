#include "quantize/plan_float_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/node_role.h"
#include "quantize/plan_weights.h"

namespace zeropoint::toolchain {
namespace {

using Kind = Granularity::Kind;

constexpr ParamsOptions kSymmetric{Scheme::kSymmetric, RangeRule::kContainZero, kWeightAbsMaxFloor};

/// Whether the product can be MatMulInteger: one matrix of weights, and nothing but it and a bias.
bool is_plain_product(const Graph& graph, const Node& node) {
  return (node.op == Op::kMatMul || node.op == Op::kGemm) && graph.constant(node, 1)->rank() == 2;
}

/// The axis of the weights that a sum runs along, where it is one axis.
std::optional<std::int64_t> summed_axis(const Graph& graph, const Node& node) {
  const Shape& shape = graph.constant(node, 1)->shape();
  if (node.op == Op::kConv) {
    bool pointwise =
        std::all_of(shape.begin() + 2, shape.end(), [](std::int64_t extent) { return extent == 1; });
    return pointwise && shape[1] > 1 ? std::optional<std::int64_t>(1) : std::nullopt;
  }
  std::optional<std::int64_t> channels = channel_axis(graph, node);
  bool matrix = shape.size() == 2 && channels && (node.op == Op::kMatMul || node.op == Op::kGemm);
  return matrix ? std::optional(1 - *channels) : std::nullopt;
}

Granularity granularity_of(const Graph& graph, const Node& node, const NodeRecipe& wish) {
  std::optional<std::int64_t> summed = summed_axis(graph, node);
  if (wish.granularity == Kind::kPerGroup && summed) {
    return Granularity::per_group(*summed, wish.group_size);
  }
  std::optional<std::int64_t> channels = channel_axis(graph, node);
  return wish.granularity != Kind::kPerTensor && channels ? Granularity::per_channel(*channels)
                                                          : Granularity::per_tensor();
}

/// The ranges of groups of few bits, each cut to the share of itself at which its weights lose least: the sum
/// of squared errors over shares from 1 down to 0.7.
Result<TensorParams> params_of_groups(const Tensor& weights, Granularity granularity, QuantizedType type) {
  ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(weights.shape(), granularity));
  ZP_ASSIGN_OR_RETURN(std::vector<RealRange> ranges, ranges_of(weights, granularity));
  ZP_ASSIGN_OR_RETURN(QuantizedRange range, type.range());
  TensorParams best{granularity, std::vector<QuantParams>(ranges.size())};
  std::vector<double> least(ranges.size(), HUGE_VAL);
  constexpr int kShares = 16;
  for (int share = 0; share < kShares; ++share) {
    float factor = 1 - 0.02F * static_cast<float>(share);
    std::vector<QuantParams> params;
    for (const RealRange& whole : ranges) {
      ZP_ASSIGN_OR_RETURN(QuantParams made, choose_params(whole.r_min * factor, whole.r_max * factor, type));
      params.push_back(made);
    }
    std::vector<double> errors(ranges.size(), 0);
    for (std::int64_t i = 0; i < weights.size(); ++i) {
      auto group = static_cast<std::size_t>(layout.index_of(i));
      float weight = weights.data<float>()[static_cast<std::size_t>(i)];
      double error = weight - dequantize(quantize(weight, params[group], range), params[group]);
      errors[group] += error * error;
    }
    for (std::size_t group = 0; group < ranges.size(); ++group) {
      if (errors[group] < least[group]) {
        least[group] = errors[group];
        best.params[group] = params[group];
      }
    }
  }
  return best;
}

Result<Decision> weight_decision(const Graph& graph, const Node& node, std::size_t input, QuantizedType type,
                                 Granularity granularity, const char* what) {
  const Value& value = graph.value(node.inputs[input]);
  // A group of few weights lies on both sides of 0 unevenly, and a zero point of its own costs it little.
  bool few = granularity.kind == Kind::kPerGroup && type.bits <= 4;
  type.is_signed = !few;
  Result<TensorParams> params = few ? params_of_groups(*value.constant, granularity, type)
                                    : choose_params(*value.constant, granularity, type, kSymmetric);
  ZP_RETURN_IF_ERROR(params.status().at(fmt::format("{}: weights '{}'", describe(node), value.name)));
  std::string reason =
      fmt::format("{}, {}, {}", what, few ? "with zero points" : "symmetric", scales_text(*params));
  return Decision{value.name, TensorRole::kWeight, type, *std::move(params), "", std::move(reason), {}};
}

}  // namespace

bool is_table(const Graph& graph, const Node& node) {
  const Tensor* table = node.op == Op::kGather ? graph.constant(node, 0) : nullptr;
  return table != nullptr && table->type() == ElementType::kFloat32 && table->rank() == 2 &&
         table->size() > 0 && int_attribute(node, "axis") == 0;
}

Result<Decision> plan_table(const Graph& graph, const Node& node, const Recipe& recipe) {
  NodeRecipe wish = node_recipe(recipe, node);
  QuantizedType type = wish.weights;
  type.bits = wish.weights_by_override ? std::min(type.bits, 8) : 8;
  Granularity granularity = wish.weights_by_override && wish.granularity == Kind::kPerGroup
                                ? Granularity::per_group(1, wish.group_size)
                                : Granularity::per_channel(0);
  return weight_decision(graph, node, 0, type, granularity, "a table");
}

Result<FloatLayers> plan_float_layers(const Graph& graph, const std::vector<const Node*>& nodes,
                                      const Recipe& recipe) {
  FloatLayers found;
  for (const Node* node : nodes) {
    NodeRecipe wish = node_recipe(recipe, *node);
    if (wish.in_float || wish.mode == ActivationMode::kStatic) {
      continue;
    }
    if (is_table(graph, *node)) {
      ZP_ASSIGN_OR_RETURN(found.weights[node->inputs[0]], plan_table(graph, *node, recipe));
      continue;
    }
    if (role_of(graph, *node).kind != NodeRole::Kind::kLayer) {
      continue;
    }
    bool dynamic = wish.mode == ActivationMode::kDynamic && is_plain_product(graph, *node);
    ZP_ASSIGN_OR_RETURN(found.weights[node->inputs[1]],
                        weight_decision(graph, *node, 1, wish.weights, granularity_of(graph, *node, wish),
                                        dynamic ? "beside an input of integers" : "alone"));
    if (!dynamic) {
      continue;
    }
    const std::string& tensor = graph.value(node->inputs[0]).name;
    auto known = std::find_if(found.inputs.begin(), found.inputs.end(),
                              [&](const Decision& decision) { return decision.tensor == tensor; });
    if (known == found.inputs.end()) {
      found.inputs.push_back({tensor,
                              TensorRole::kActivation,
                              {8, false},
                              {},
                              "",
                              "each run finds the range of what matrix products read",
                              {},
                              true});
      known = found.inputs.end() - 1;
    }
    known->readers.push_back(node->name);
  }
  return found;
}

}  // namespace zeropoint::toolchain
