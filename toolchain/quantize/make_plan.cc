#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "zeropoint/requantize.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, const RangeTable& ranges, const Recipe& recipe)
      : graph_(graph), ranges_(ranges), recipe_(recipe), readers_(consumers(graph)) {}

  Result<QuantPlan> run() {
    ZP_RETURN_IF_ERROR(check_recipe());
    for (const Node& node : graph_.nodes) {
      ZP_RETURN_IF_ERROR(plan_node(node));
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] Status check_recipe() const {
    ZP_RETURN_IF_ERROR(recipe_.weights.range().status().at("weights"));
    ZP_RETURN_IF_ERROR(recipe_.activations.range().status().at("activations"));
    if (!recipe_.weights.is_signed || recipe_.weights.bits > 8) {
      return Status::invalid_argument("weights must be signed and of 2 to 8 bits, not " +
                                      recipe_.weights.name());
    }
    if (recipe_.activations.bits > 8 || recipe_.activations.narrow) {
      return Status::invalid_argument("activations must be of 2 to 8 bits and not narrow, not " +
                                      recipe_.activations.name());
    }
    if (recipe_.border_bits != 0) {
      ZP_RETURN_IF_ERROR(border_type().range().status().at("border"));
      if (recipe_.border_bits > 8) {
        return Status::invalid_argument(
            fmt::format("border bits must be 2 to 8, not {}", recipe_.border_bits));
      }
    }
    return {};
  }

  [[nodiscard]] QuantizedType border_type() const {
    QuantizedType type = recipe_.activations;
    type.bits = recipe_.border_bits != 0 ? recipe_.border_bits : type.bits;
    return type;
  }

  [[nodiscard]] bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }
  [[nodiscard]] bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  Status plan_node(const Node& node) {
    switch (node.op) {
      case Op::kConv:
      case Op::kGemm:
        return plan_layer(node);
      case Op::kMaxPool:
        return plan_same(node, "max pooling only selects");
      case Op::kFlatten:
        return plan_same(node, "flattening only renames positions");
      default:
        if (absorbed_.count(node.outputs[0]) != 0) {
          return {};
        }
        return Status::unsupported(describe(node) +
                                   " would stay in float: it follows no Conv or Gemm that could take it in");
    }
  }

  Status plan_layer(const Node& node) {
    ZP_RETURN_IF_ERROR(plan_activation(node.inputs[0], node));
    const Decision* input = plan_.find(graph_.value(node.inputs[0]).name);
    const Tensor* weights = graph_.constant(node, 1);
    if (weights == nullptr) {
      return Status::unsupported(describe(node) + " would stay in float: its weights are not constant");
    }
    ZP_RETURN_IF_ERROR(check_layer(node, *weights));
    ZP_RETURN_IF_ERROR(plan_weights(node, *weights, input->params.params[0].scale));
    // A Relu or Clip that alone reads the result belongs to the layer.
    ValueId last = node.outputs[0];
    while (readers_[static_cast<std::size_t>(last)].size() == 1 && !is_output(last)) {
      const Node& next = graph_.nodes[static_cast<std::size_t>(readers_[static_cast<std::size_t>(last)][0])];
      if ((next.op != Op::kRelu && next.op != Op::kClip) || next.inputs[0] != last) {
        break;
      }
      last = next.outputs[0];
      absorbed_.insert(last);
    }
    if (is_output(last) && last == node.outputs[0] && recipe_.output == Recipe::Output::kAccumulator) {
      return {};
    }
    return plan_activation(last, node);
  }

  /// What the integer form of a layer can express: a plain product plus one constant bias per channel.
  [[nodiscard]] Status check_layer(const Node& node, const Tensor& weights) const {
    if (node.op == Op::kGemm && (float_attribute(node, "alpha") != 1 || float_attribute(node, "beta") != 1 ||
                                 int_attribute(node, "transA") != 0)) {
      return Status::unsupported(describe(node) + " would stay in float: alpha and beta must be 1, transA 0");
    }
    if (weights.size() == 0) {
      return Status::unsupported(
          fmt::format("{}: weights {} are empty", describe(node), zeropoint::to_string(weights.shape())));
    }
    if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) {
      return {};
    }
    const Tensor* bias = graph_.constant(node, 2);
    Shape one_per_channel{weights.dim(channel_axis(node))};
    if (bias == nullptr || bias->type() != ElementType::kFloat32 || bias->shape() != one_per_channel) {
      return Status::unsupported(
          fmt::format("{} would stay in float: its bias '{}' is not a float32 constant {}", describe(node),
                      graph_.value(node.inputs[2]).name, zeropoint::to_string(one_per_channel)));
    }
    return {};
  }

  /// Of the weights.
  static std::int64_t channel_axis(const Node& node) {
    return node.op == Op::kGemm && int_attribute(node, "transB") == 0 ? 1 : 0;
  }

  Status plan_activation(ValueId id, const Node& node) {
    const Value& value = graph_.value(id);
    if (plan_.find(value.name) != nullptr) {
      return {};
    }
    auto found = ranges_.ranges.find(value.name);
    if (found == ranges_.ranges.end()) {
      return Status::not_found(
          fmt::format("{}: calibration has no range for tensor '{}'", describe(node), value.name));
    }
    RealRange range = found->second;
    QuantizedType type = is_input(id) || is_output(id) ? border_type() : recipe_.activations;
    ParamsOptions options{Scheme::kAsymmetric, recipe_.activation_rule, 0};
    Result<QuantParams> params = choose_params(range.r_min, range.r_max, type, options);
    ZP_RETURN_IF_ERROR(params.status().at("tensor '" + value.name + "'"));
    std::string reason =
        fmt::format("{}: [{:.6g}, {:.6g}] seen by {} over {} samples{}",
                    is_input(id) ? "input" : (is_output(id) ? "output" : "result of " + describe(node)),
                    range.r_min, range.r_max, ranges_.method, ranges_.samples,
                    recipe_.activation_rule == RangeRule::kPlainMinMax
                        ? ", taken as it is"
                        : (range.r_min > 0 || range.r_max < 0 ? ", widened to contain 0" : ""));
    plan_.decisions.push_back({value.name,
                               TensorRole::kActivation,
                               type,
                               {Granularity::per_tensor(), {*params}},
                               "",
                               std::move(reason)});
    return {};
  }

  Status plan_same(const Node& node, std::string_view why) {
    const Value& input = graph_.value(node.inputs[0]);
    const Decision* source = plan_.find(input.name);
    if (source == nullptr) {
      ZP_RETURN_IF_ERROR(plan_activation(node.inputs[0], node));
      source = plan_.find(input.name);
    }
    Decision same = *source;
    same.tensor = graph_.value(node.outputs[0]).name;
    same.shares_with = input.name;
    same.reason = fmt::format("the integers of '{}': {}", input.name, why);
    plan_.decisions.push_back(std::move(same));
    return {};
  }

  Status plan_weights(const Node& node, const Tensor& weights, float s_in) {
    const std::string& name = graph_.value(node.inputs[1]).name;
    if (plan_.find(name) != nullptr) {
      return Status::unsupported(
          fmt::format("{}: weights '{}' are shared with another layer", describe(node), name));
    }
    Granularity granularity =
        recipe_.per_channel ? Granularity::per_channel(channel_axis(node)) : Granularity::per_tensor();
    Result<TensorParams> params =
        choose_params(weights, granularity, recipe_.weights,
                      {Scheme::kSymmetric, RangeRule::kContainZero, kWeightAbsMaxFloor});
    ZP_RETURN_IF_ERROR(params.status().at(fmt::format("{}: weights '{}'", describe(node), name)));
    const Tensor* bias = graph_.constant(node, 2);
    int raised = 0;
    if (bias != nullptr) {
      ZP_ASSIGN_OR_RETURN(raised, raise_for_bias(node, *bias, s_in, weights.size() / bias->size(), *params));
    }
    auto [low, high] =
        std::minmax_element(params->params.begin(), params->params.end(),
                            [](const QuantParams& a, const QuantParams& b) { return a.scale < b.scale; });
    std::string reason = recipe_.per_channel
                             ? fmt::format("symmetric, one scale per output channel, {:.4g} to {:.4g}",
                                           low->scale, high->scale)
                             : fmt::format("symmetric, one scale, {:.4g}", low->scale);
    if (raised > 0) {
      reason += fmt::format("; {} scale(s) raised so that the bias fits the int32 accumulator", raised);
    }
    plan_.decisions.push_back({name, TensorRole::kWeight, recipe_.weights, *params, "", std::move(reason)});
    return bias == nullptr ? Status() : plan_bias(node, *bias, s_in, *params);
  }

  /// Raises each weight scale at which a bias and the `depth` products it is added to could leave int32, by
  /// just enough. Returns how many.
  Result<int> raise_for_bias(const Node& node, const Tensor& bias, float s_in, std::int64_t depth,
                             TensorParams& params) const {
    std::span<const float> values = bias.data<float>();
    // Inputs and their zero point are below 2^8 (2^7 where signed), weights at most q_max.
    std::int64_t products = depth * 2 * 256 * recipe_.weights.range()->q_max;
    int raised = 0;
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (!std::isfinite(values[c])) {
        return Status::invalid_argument(fmt::format("{}: bias {} is {}", describe(node), c, values[c]));
      }
      float& scale = params.params[params.params.size() == 1 ? 0 : c].scale;
      float needed = weight_scale_that_holds_bias(values[c], s_in, scale, products);
      raised += needed > scale ? 1 : 0;
      scale = needed;
    }
    return raised;
  }

  Status plan_bias(const Node& node, const Tensor& bias, float s_in, const TensorParams& weights) {
    const std::string& name = graph_.value(node.inputs[2]).name;
    if (plan_.find(name) != nullptr) {
      return Status::unsupported(
          fmt::format("{}: bias '{}' is shared with another layer", describe(node), name));
    }
    std::vector<float> scales;
    for (const QuantParams& p : weights.params) {
      scales.push_back(p.scale);
    }
    Result<QuantizedBias> quantized = quantize_bias(bias.data<float>(), s_in, scales);
    ZP_RETURN_IF_ERROR(quantized.status().at(describe(node)));
    TensorParams params{weights.params.size() == 1 ? Granularity::per_tensor() : Granularity::per_channel(0),
                        {}};
    for (const QuantParams& p : weights.params) {
      params.params.push_back({s_in * p.scale, 0});
    }
    plan_.decisions.push_back({name,
                               TensorRole::kBias,
                               {32, true},
                               std::move(params),
                               "",
                               "at input scale times weight scale, so that it adds to the accumulator"});
    return {};
  }

  const Graph& graph_;
  const RangeTable& ranges_;
  const Recipe& recipe_;
  std::vector<std::vector<std::int32_t>> readers_;
  std::set<ValueId> absorbed_;  // outputs of activations that became part of a layer
  QuantPlan plan_;
};

}  // namespace

const Decision* QuantPlan::find(std::string_view tensor) const {
  auto found = std::find_if(decisions.begin(), decisions.end(),
                            [&](const Decision& decision) { return decision.tensor == tensor; });
  return found == decisions.end() ? nullptr : &*found;
}

Result<QuantPlan> make_plan(const Graph& graph, const RangeTable& ranges, const Recipe& recipe) {
  ZP_RETURN_IF_ERROR(verify(graph));
  return Planner(graph, ranges, recipe).run();
}

}  // namespace zeropoint::toolchain
