#include "quantize/plan_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/node_role.h"
#include "zeropoint/requantize.h"

namespace zeropoint::toolchain {
namespace {

class WeightPlanner {
 public:
  WeightPlanner(const Graph& graph, const Recipe& recipe,
                const std::function<float(const Node&)>& input_scale)
      : graph_(graph), recipe_(recipe), input_scale_(input_scale) {}

  Result<std::map<ValueId, Decision>> run(const std::vector<const Node*>& layers) {
    std::map<ValueId, std::vector<const Node*>> readers;
    for (const Node* layer : layers) {
      readers[layer->inputs[1]].push_back(layer);
    }
    for (const auto& [weights, nodes] : readers) {
      ZP_RETURN_IF_ERROR(decide_weights(weights, nodes));
    }
    for (const Node* layer : layers) {
      if (bias_of(graph_, *layer) != nullptr) {
        ZP_RETURN_IF_ERROR(decide_bias(*layer));
      }
    }
    return std::move(decisions_);
  }

 private:
  [[nodiscard]] Granularity granularity_of(const std::vector<const Node*>& nodes) const {
    std::optional<std::int64_t> axis = channel_axis(graph_, *nodes[0]);
    bool same = std::all_of(nodes.begin(), nodes.end(),
                            [&](const Node* node) { return channel_axis(graph_, *node) == axis; });
    return recipe_.per_channel && axis && same ? Granularity::per_channel(*axis) : Granularity::per_tensor();
  }

  Status decide_weights(ValueId id, const std::vector<const Node*>& nodes) {
    const Value& value = graph_.value(id);
    Granularity granularity = granularity_of(nodes);
    Result<TensorParams> params =
        choose_params(*value.constant, granularity, recipe_.weights,
                      {Scheme::kSymmetric, RangeRule::kContainZero, kWeightAbsMaxFloor});
    ZP_RETURN_IF_ERROR(params.status().at(fmt::format("{}: weights '{}'", describe(*nodes[0]), value.name)));
    int raised = 0;
    for (const Node* node : nodes) {
      if (bias_of(graph_, *node) != nullptr) {
        ZP_ASSIGN_OR_RETURN(int more, raise_for_bias(*node, value.constant->size(), *params));
        raised += more;
      }
    }
    auto [low, high] =
        std::minmax_element(params->params.begin(), params->params.end(),
                            [](const QuantParams& a, const QuantParams& b) { return a.scale < b.scale; });
    std::string reason = granularity.kind == Granularity::Kind::kPerChannel
                             ? fmt::format("symmetric, one scale per output channel, {:.4g} to {:.4g}",
                                           low->scale, high->scale)
                             : fmt::format("symmetric, one scale, {:.4g}", low->scale);
    if (raised > 0) {
      reason += fmt::format("; {} scale(s) raised so that the bias fits the int32 accumulator", raised);
    }
    decisions_[id] = {value.name, TensorRole::kWeight, recipe_.weights, *params, "", std::move(reason)};
    return {};
  }

  /// Raises each weight scale at which a bias and the products it is added to could leave int32, by just
  /// enough. Returns how many.
  [[nodiscard]] Result<int> raise_for_bias(const Node& node, std::int64_t weights,
                                           TensorParams& params) const {
    std::span<const float> bias = bias_of(graph_, node)->data<float>();
    float s_in = input_scale_(node);
    // Inputs and their zero point are below 2^8 (2^7 where signed), weights at most q_max.
    std::int64_t depth = weights / static_cast<std::int64_t>(bias.size());
    std::int64_t products = depth * 2 * 256 * recipe_.weights.range()->q_max;
    int raised = 0;
    for (std::size_t c = 0; c < bias.size(); ++c) {
      if (!std::isfinite(bias[c])) {
        return Status::invalid_argument(fmt::format("{}: bias {} is {}", describe(node), c, bias[c]));
      }
      float& scale = params.params[params.params.size() == 1 ? 0 : c].scale;
      float needed = weight_scale_that_holds_bias(bias[c], s_in, scale, products);
      raised += needed > scale ? 1 : 0;
      scale = needed;
    }
    return raised;
  }

  Status decide_bias(const Node& node) {
    const Tensor& bias = *bias_of(graph_, node);
    const std::string& name = graph_.value(node.inputs[2]).name;
    const TensorParams& weights = decisions_[node.inputs[1]].params;
    float s_in = input_scale_(node);
    TensorParams params{weights.params.size() == 1 ? Granularity::per_tensor() : Granularity::per_channel(0),
                        {}};
    std::vector<float> weight_scales;
    for (const QuantParams& p : weights.params) {
      weight_scales.push_back(p.scale);
      params.params.push_back({s_in * p.scale, 0});
    }
    ZP_RETURN_IF_ERROR(quantize_bias(bias.data<float>(), s_in, weight_scales).status().at(describe(node)));
    Decision decision{name,       TensorRole::kBias,
                      {32, true}, std::move(params),
                      "",         "at input scale times weight scale, so that it adds to the accumulator"};
    auto [known, is_new] = decisions_.try_emplace(node.inputs[2], decision);
    if (!is_new && (known->second.role != TensorRole::kBias || known->second.params != decision.params)) {
      return Status::unsupported(
          fmt::format("{}: bias '{}' is shared with another layer", describe(node), name));
    }
    return {};
  }

  const Graph& graph_;
  const Recipe& recipe_;
  const std::function<float(const Node&)>& input_scale_;
  std::map<ValueId, Decision> decisions_;
};

}  // namespace

Result<std::map<ValueId, Decision>> plan_weights(const Graph& graph, const std::vector<const Node*>& layers,
                                                 const Recipe& recipe,
                                                 const std::function<float(const Node&)>& input_scale) {
  return WeightPlanner(graph, recipe, input_scale).run(layers);
}

}  // namespace zeropoint::toolchain
