#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "graph/attention_mask.h"
#include "quantize/integer_flow.h"
#include "quantize/plan_weights.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

using Kind = NodeRole::Kind;

Status check_recipe(const Recipe& recipe) {
  ZP_RETURN_IF_ERROR(recipe.weights.range().status().at("weights"));
  ZP_RETURN_IF_ERROR(recipe.activations.range().status().at("activations"));
  if (!recipe.weights.is_signed || recipe.weights.bits > 8) {
    return Status::invalid_argument("weights must be signed and of 2 to 8 bits, not " +
                                    recipe.weights.name());
  }
  if (recipe.activations.bits > 8 || recipe.activations.narrow) {
    return Status::invalid_argument("activations must be of 2 to 8 bits and not narrow, not " +
                                    recipe.activations.name());
  }
  if (recipe.border_bits != 0) {
    QuantizedType border{recipe.border_bits, recipe.activations.is_signed};
    ZP_RETURN_IF_ERROR(border.range().status().at("border"));
    if (recipe.border_bits > 8) {
      return Status::invalid_argument(fmt::format("border bits must be 2 to 8, not {}", recipe.border_bits));
    }
  }
  return {};
}

std::string_view why_it_keeps_integers(Op op) {
  switch (op) {
    case Op::kMaxPool:
      return "max pooling only selects";
    case Op::kFlatten:
      return "flattening only renames positions";
    default:
      return "only moves them";
  }
}

class Planner {
 public:
  Planner(const Graph& graph, const RangeTable& ranges, const Recipe& recipe)
      : graph_(graph),
        ranges_(ranges),
        recipe_(recipe),
        producers_(producers(graph)),
        flow_(integer_flow(graph, recipe.output)) {
    std::vector<std::vector<std::int32_t>> readers = consumers(graph);
    for (const Node& node : graph.nodes) {
      if (std::optional<AttentionMask> mask = attention_mask(graph, node, readers)) {
        masks_[mask->mask].push_back(*mask);
        masks_[node.outputs[0]].push_back(*mask);
      }
    }
  }

  Result<QuantPlan> run() {
    ZP_RETURN_IF_ERROR(check_recipe(recipe_));
    ZP_RETURN_IF_ERROR(decide_groups());
    std::vector<const Node*> layers;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (flow_.roles[i].kind == Kind::kLayer) {
        layers.push_back(&graph_.nodes[i]);
      }
    }
    ZP_ASSIGN_OR_RETURN(constants_, plan_weights(graph_, layers, recipe_, [&](const Node& layer) {
                          return groups_.at(group_of(layer.inputs[0])).params.scale;
                        }));
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      ZP_RETURN_IF_ERROR(list_node(i));
    }
    if (plan_.decisions.empty()) {
      return Status::unsupported("no operator of the graph can be quantized" +
                                 (plan_.floats.empty() ? std::string()
                                                       : "; " + describe(graph_.nodes[first_float_]) + ": " +
                                                             plan_.floats[0].reason));
    }
    return std::move(plan_);
  }

 private:
  /// Values with one scale and zero point.
  struct Group {
    std::vector<ValueId> sources;  // members that no moving node makes: their ranges are the group's
    bool at_border = false;        // a member is input or output of the graph
    RealRange range;
    QuantizedType type;
    QuantParams params;
  };

  [[nodiscard]] ValueId group_of(ValueId id) const { return flow_.group[static_cast<std::size_t>(id)]; }

  [[nodiscard]] const Node* maker_of(ValueId id) const {
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    return maker < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(maker)];
  }

  /// The node whose result `id` is, after the activations that are part of it.
  [[nodiscard]] const Node& computer_of(ValueId id) const {
    const Node* node = maker_of(id);
    while (flow_.absorbed[static_cast<std::size_t>(node - graph_.nodes.data())]) {
      node = maker_of(node->inputs[0]);
    }
    return *node;
  }

  /// The node that makes `id` out of integers that it only moves, or nullptr.
  [[nodiscard]] const Node* mover_of(ValueId id) const {
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    return maker >= 0 && flow_.roles[static_cast<std::size_t>(maker)].kind == Kind::kMoves ? maker_of(id)
                                                                                           : nullptr;
  }

  [[nodiscard]] bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }
  [[nodiscard]] bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  Status decide_groups() {
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (flow_.quantized[i]) {
        ZP_RETURN_IF_ERROR(add_member(static_cast<ValueId>(i)));
      }
    }
    for (auto& [id, group] : groups_) {
      group.type = recipe_.activations;
      if (group.at_border && recipe_.border_bits != 0) {
        group.type.bits = recipe_.border_bits;
      }
      ParamsOptions options{Scheme::kAsymmetric, recipe_.activation_rule, 0};
      Result<QuantParams> params = choose_params(group.range.r_min, group.range.r_max, group.type, options);
      ZP_RETURN_IF_ERROR(params.status().at("tensor '" + graph_.value(group.sources[0]).name + "'"));
      group.params = *params;
    }
    return {};
  }

  Status add_member(ValueId id) {
    Group& group = groups_[group_of(id)];
    group.at_border = group.at_border || is_input(id) || is_output(id);
    const Node* mover = mover_of(id);
    if (mover != nullptr) {
      if (const Tensor* filler = mover->op == Op::kPad ? graph_.constant(*mover, 2) : nullptr;
          filler != nullptr && filler->type() == ElementType::kFloat32 && filler->size() == 1) {
        widen(group, {filler->data<float>()[0], filler->data<float>()[0]});
      }
      return {};
    }
    ZP_ASSIGN_OR_RETURN(RealRange range, range_of(id));
    group.sources.push_back(id);
    widen(group, range);
    return {};
  }

  static void widen(Group& group, RealRange range) {
    group.range = {std::min(group.range.r_min, range.r_min), std::max(group.range.r_max, range.r_max)};
  }

  [[nodiscard]] Result<RealRange> range_of(ValueId id) const {
    auto masked = masks_.find(id);
    if (masked == masks_.end()) {
      return own_range(id);
    }
    RealRange range;
    for (const AttentionMask& mask : masked->second) {
      ZP_ASSIGN_OR_RETURN(RealRange scores, own_range(mask.scores));
      RealRange own = id == mask.mask ? mask_range(mask, scores) : masked_range(mask, scores);
      range = {std::min(range.r_min, own.r_min), std::max(range.r_max, own.r_max)};
    }
    return range;
  }

  [[nodiscard]] Result<RealRange> own_range(ValueId id) const {
    const Value& value = graph_.value(id);
    if (value.constant != nullptr) {
      Result<std::vector<RealRange>> ranges = ranges_of(*value.constant, Granularity::per_tensor());
      ZP_RETURN_IF_ERROR(ranges.status().at("tensor '" + value.name + "'"));
      return (*ranges)[0];
    }
    const Node* maker = maker_of(id);
    if (maker != nullptr && maker->op == Op::kSoftmax) {
      return RealRange{0, 1};
    }
    auto found = ranges_.ranges.find(value.name);
    if (found == ranges_.ranges.end()) {
      return Status::not_found(fmt::format("{}: calibration has no range for tensor '{}'",
                                           maker == nullptr ? "input" : describe(computer_of(id)),
                                           value.name));
    }
    return found->second;
  }

  Status list_node(std::size_t i) {
    const Node& node = graph_.nodes[i];
    const NodeRole& role = flow_.roles[i];
    if (role.kind == Kind::kFloat) {
      first_float_ = plan_.floats.empty() ? i : first_float_;
      plan_.floats.push_back({node.name, std::string(name_of(node.op)), role.why});
    }
    for (ValueId input : node.inputs) {
      list_value(input);
    }
    for (ValueId output : node.outputs) {
      list_value(output);
    }
    return {};
  }

  void list_value(ValueId id) {
    if (id == kNoValue || !listed_.insert(id).second) {
      return;
    }
    if (auto constant = constants_.find(id); constant != constants_.end()) {
      plan_.decisions.push_back(constant->second);
    } else if (flow_.quantized[static_cast<std::size_t>(id)]) {
      plan_.decisions.push_back(activation(id, groups_.at(group_of(id))));
    }
  }

  [[nodiscard]] Decision activation(ValueId id, const Group& group) const {
    const Value& value = graph_.value(id);
    Decision decision{value.name, value.constant == nullptr ? TensorRole::kActivation : TensorRole::kWeight,
                      group.type, {Granularity::per_tensor(), {group.params}},
                      "",         ""};
    if (const Node* mover = mover_of(id)) {
      std::size_t source = flow_.roles[static_cast<std::size_t>(mover - graph_.nodes.data())].operands[0];
      decision.shares_with = graph_.value(mover->inputs[source]).name;
      decision.reason =
          fmt::format("the integers of '{}': {}", decision.shares_with, why_it_keeps_integers(mover->op));
    } else {
      decision.reason = fmt::format("{}: {}", origin(id), range_text(group, value.constant != nullptr));
      if (masks_.count(id) != 0) {
        decision.reason += ", what the mask shuts out clamped";
      }
    }
    return decision;
  }

  [[nodiscard]] std::string origin(ValueId id) const {
    if (graph_.value(id).constant != nullptr) {
      return "constant";
    }
    return is_input(id) ? "input" : (is_output(id) ? "output" : "result of " + describe(computer_of(id)));
  }

  [[nodiscard]] std::string range_text(const Group& group, bool constant) const {
    RealRange range = group.range;
    std::string text = fmt::format("[{:.6g}, {:.6g}]", range.r_min, range.r_max);
    if (!constant) {
      text += fmt::format(" seen by {} over {} samples", ranges_.method, ranges_.samples);
    }
    if (group.sources.size() > 1) {
      text += fmt::format(", with {} that {} joined to it", group.sources.size() - 1,
                          group.sources.size() == 2 ? "is" : "are");
    }
    return text + (recipe_.activation_rule == RangeRule::kPlainMinMax
                       ? ", taken as it is"
                       : (range.r_min > 0 || range.r_max < 0 ? ", widened to contain 0" : ""));
  }

  const Graph& graph_;
  const RangeTable& ranges_;
  const Recipe& recipe_;
  std::vector<std::int32_t> producers_;
  IntegerFlow flow_;
  std::map<ValueId, std::vector<AttentionMask>>
      masks_;  // by the mask, which several may share, and by the sum
  std::map<ValueId, Group> groups_;
  std::map<ValueId, Decision> constants_;
  std::set<ValueId> listed_;
  std::size_t first_float_ = 0;
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
  Graph inferred = graph;
  ZP_RETURN_IF_ERROR(infer_shapes(inferred));
  return Planner(inferred, ranges, recipe).run();
}

}  // namespace zeropoint::toolchain
