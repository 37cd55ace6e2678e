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
  WeightPlanner(const Graph& graph, const Recipe& recipe, const std::function<LayerInput(const Node&)>& input)
      : graph_(graph), recipe_(recipe), input_(input) {}

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
    bool per_channel = node_recipe(recipe_, *nodes[0]).granularity != Granularity::Kind::kPerTensor;
    return per_channel && axis && same ? Granularity::per_channel(*axis) : Granularity::per_tensor();
  }

  Status decide_weights(ValueId id, const std::vector<const Node*>& nodes) {
    const Value& value = graph_.value(id);
    Granularity granularity = granularity_of(nodes);
    QuantizedType type = node_recipe(recipe_, *nodes[0]).weights;
    Result<TensorParams> params =
        choose_params(*value.constant, granularity, type,
                      {Scheme::kSymmetric, RangeRule::kContainZero, kWeightAbsMaxFloor});
    ZP_RETURN_IF_ERROR(params.status().at(fmt::format("{}: weights '{}'", describe(*nodes[0]), value.name)));
    int raised = 0;
    for (const Node* node : nodes) {
      if (bias_of(graph_, *node) != nullptr) {
        ZP_ASSIGN_OR_RETURN(int more, raise_for_bias(*node, value.constant->size(), type, *params));
        raised += more;
      }
    }
    std::string reason = "symmetric, " + scales_text(*params);
    if (raised > 0) {
      reason += fmt::format("; {} scale(s) raised so that the bias fits the int32 accumulator", raised);
    }
    decisions_[id] = {value.name, TensorRole::kWeight, type, *params, "", std::move(reason), {}};
    return {};
  }

  /// Raises each weight scale at which a bias and the products it is added to could leave int32, by just
  /// enough. Returns how many.
  [[nodiscard]] Result<int> raise_for_bias(const Node& node, std::int64_t weights, QuantizedType type,
                                           TensorParams& params) const {
    std::span<const float> bias = bias_of(graph_, node)->data<float>();
    LayerInput input = input_(node);
    float s_in = input.params.scale;
    // Inputs and their zero point are below 2^bits, weights at most q_max.
    std::int64_t depth = weights / static_cast<std::int64_t>(bias.size());
    std::int64_t products = depth * 2 * (std::int64_t{1} << input.type.bits) * type.range()->q_max;
    // Where the products alone can leave int32 the sum is one of 64 bits, in which the bias has room.
    products = products < std::int64_t{1} << 31 ? products : 0;
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
    float s_in = input_(node).params.scale;
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
                      "",         "at input scale times weight scale, so that it adds to the accumulator",
                      {}};
    auto [known, is_new] = decisions_.try_emplace(node.inputs[2], decision);
    if (!is_new && (known->second.role != TensorRole::kBias || known->second.params != decision.params)) {
      return Status::unsupported(
          fmt::format("{}: bias '{}' is shared with another layer", describe(node), name));
    }
    return {};
  }

  const Graph& graph_;
  const Recipe& recipe_;
  const std::function<LayerInput(const Node&)>& input_;
  std::map<ValueId, Decision> decisions_;
};

}  // namespace

std::string scales_text(const TensorParams& params) {
  auto [low, high] =
      std::minmax_element(params.params.begin(), params.params.end(),
                          [](const QuantParams& a, const QuantParams& b) { return a.scale < b.scale; });
  switch (params.granularity.kind) {
    case Granularity::Kind::kPerChannel:
      return fmt::format("one scale per output channel, {:.4g} to {:.4g}", low->scale, high->scale);
    case Granularity::Kind::kPerGroup:
      return fmt::format("one scale per {} weights of a channel, {:.4g} to {:.4g}",
                         params.granularity.group_size, low->scale, high->scale);
    default:
      return fmt::format("one scale, {:.4g}", low->scale);
  }
}

Result<std::map<ValueId, Decision>> plan_weights(const Graph& graph, const std::vector<const Node*>& layers,
                                                 const Recipe& recipe,
                                                 const std::function<LayerInput(const Node&)>& input) {
  return WeightPlanner(graph, recipe, input).run(layers);
}

}  // namespace zeropoint::toolchain
