#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "quantize/activation_ranges.h"
#include "quantize/activation_types.h"
#include "quantize/integer_flow.h"
#include "quantize/plan_float_layers.h"
#include "quantize/plan_weights.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

using Kind = NodeRole::Kind;

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
  Planner(const Graph& graph, const RangeTable& ranges, const Recipe& recipe, const Statistics* statistics)
      : graph_(graph),
        method_(fmt::format("{} over {} samples", ranges.method, ranges.samples)),
        recipe_(recipe),
        producers_(producers(graph)),
        flow_(integer_flow(graph, recipe)),
        ranges_(graph, flow_, ranges),
        statistics_(statistics) {}

  Result<QuantPlan> run() {
    ZP_RETURN_IF_ERROR(check_recipe(recipe_));
    ZP_RETURN_IF_ERROR(check_overrides(recipe_, graph_));
    ZP_RETURN_IF_ERROR(decide_groups());
    ZP_RETURN_IF_ERROR(decide_copies());
    ZP_RETURN_IF_ERROR(decide_constants());
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
    RealRange range;
    QuantizedType type;
    QuantParams params;
  };

  [[nodiscard]] ValueId group_of(ValueId id) const { return flow_.group[static_cast<std::size_t>(id)]; }

  [[nodiscard]] const Node* maker_of(ValueId id) const {
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    return maker < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(maker)];
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
    types_ = activation_types(graph_, flow_, recipe_, needs());
    for (auto& [id, group] : groups_) {
      group.type = types_.groups.at(id).type;
      ZP_ASSIGN_OR_RETURN(group.params, params_of(group, group.type));
    }
    return {};
  }

  /// Who asks for 8 bits wants them where they do.
  [[nodiscard]] PrecisionNeeds needs() const {
    if (!recipe_.protect || recipe_.activations.bits != 8 || statistics_ == nullptr) {
      return {};
    }
    std::map<ValueId, RealRange> ranges;
    for (const auto& [id, group] : groups_) {
      ranges[id] = group.range;
    }
    return precision_needs(graph_, flow_, ranges, *statistics_);
  }

  /// Results of Softmax get steps of 2^-bits, so that 1 is one step above the largest integer, as in ONNX
  /// Runtime and TensorFlow Lite: QLinearSoftmax there multiplies by the integer below 1 / scale, and at
  /// another scale is off by up to a step.
  [[nodiscard]] bool holds_probabilities(const Group& group) const {
    return std::all_of(group.sources.begin(), group.sources.end(), [&](ValueId id) {
      const Node* maker = maker_of(id);
      return maker != nullptr && maker->op == Op::kSoftmax;
    });
  }

  [[nodiscard]] Result<QuantParams> params_of(const Group& group, QuantizedType type) const {
    RealRange range =
        holds_probabilities(group) ? RealRange{0, 1 - std::ldexp(1.0F, -type.bits)} : group.range;
    Result<QuantParams> params =
        choose_params(range.r_min, range.r_max, type, {Scheme::kAsymmetric, recipe_.activation_rule, 0});
    ZP_RETURN_IF_ERROR(params.status().at("tensor '" + graph_.value(group.sources[0]).name + "'"));
    return params;
  }

  /// What products read where the group is wider than they wish.
  Status decide_copies() {
    for (const auto& [key, readers] : types_.copies) {
      auto [id, bits, is_signed] = key;
      const Group& group = groups_.at(group_of(id));
      QuantizedType type{bits, is_signed};
      ZP_ASSIGN_OR_RETURN(QuantParams params, params_of(group, type));
      Decision copy{graph_.value(id).name,
                    TensorRole::kActivation,
                    type,
                    {Granularity::per_tensor(), {params}},
                    "",
                    fmt::format("rounded once more for products of {} bits", bits),
                    {}};
      for (std::int32_t reader : readers) {
        const Node& node = graph_.nodes[static_cast<std::size_t>(reader)];
        copy.readers.push_back(node.name);
        read_as_[{id, &node}] = {params, type};
      }
      copies_[id].push_back(std::move(copy));
    }
    return {};
  }

  /// Weights and biases of layers in integers, and weights that are quantized alone.
  Status decide_constants() {
    std::vector<const Node*> layers;
    std::vector<const Node*> floats;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      (flow_.roles[i].kind == Kind::kLayer ? layers : floats).push_back(&graph_.nodes[i]);
    }
    ZP_ASSIGN_OR_RETURN(constants_, plan_weights(graph_, layers, recipe_, [&](const Node& layer) {
                          auto copy = read_as_.find({layer.inputs[0], &layer});
                          const Group& group = groups_.at(group_of(layer.inputs[0]));
                          return copy != read_as_.end() ? copy->second : LayerInput{group.params, group.type};
                        }));
    ZP_ASSIGN_OR_RETURN(FloatLayers alone, plan_float_layers(graph_, floats, recipe_));
    constants_.merge(alone.weights);
    for (Decision& dynamic : alone.inputs) {
      copies_[graph_.find(dynamic.tensor)].push_back(std::move(dynamic));
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (looks_up_in_wide_group(i)) {
        ZP_ASSIGN_OR_RETURN(constants_[graph_.nodes[i].inputs[0]],
                            plan_table(graph_, graph_.nodes[i], recipe_));
      }
    }
    return {};
  }

  /// Rows of a table that are to become 16-bit integers stay as small as weights: each gets a scale of its
  /// own, and what is looked up is quantized anew.
  [[nodiscard]] bool looks_up_in_wide_group(std::size_t i) const {
    const Node& node = graph_.nodes[i];
    return node.op == Op::kGather && flow_.roles[i].kind == Kind::kMoves && is_table(graph_, node) &&
           flow_.quantized[static_cast<std::size_t>(node.inputs[0])] &&
           groups_.at(group_of(node.inputs[0])).type.bits > 8;
  }

  Status add_member(ValueId id) {
    Group& group = groups_[group_of(id)];
    const Node* mover = mover_of(id);
    if (mover != nullptr) {
      if (const Tensor* filler = mover->op == Op::kPad ? graph_.constant(*mover, 2) : nullptr;
          filler != nullptr && filler->type() == ElementType::kFloat32 && filler->size() == 1) {
        widen(group, {filler->data<float>()[0], filler->data<float>()[0]});
      }
      return {};
    }
    ZP_ASSIGN_OR_RETURN(RealRange range, ranges_.of(id));
    group.sources.push_back(id);
    widen(group, range);
    return {};
  }

  static void widen(Group& group, RealRange range) {
    group.range = {std::min(group.range.r_min, range.r_min), std::max(group.range.r_max, range.r_max)};
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
    for (const Decision& copy : copies_[id]) {
      plan_.decisions.push_back(copy);
    }
  }

  [[nodiscard]] Decision activation(ValueId id, const Group& group) const {
    const Value& value = graph_.value(id);
    Decision decision{value.name, value.constant == nullptr ? TensorRole::kActivation : TensorRole::kWeight,
                      group.type, {Granularity::per_tensor(), {group.params}},
                      "",         "",
                      {}};
    const Node* mover = mover_of(id);
    if (mover != nullptr && constants_.count(mover->inputs[0]) == 0) {
      std::size_t source = flow_.roles[static_cast<std::size_t>(mover - graph_.nodes.data())].operands[0];
      decision.shares_with = graph_.value(mover->inputs[source]).name;
      decision.reason =
          fmt::format("the integers of '{}': {}", decision.shares_with, why_it_keeps_integers(mover->op));
    } else {
      decision.reason = fmt::format("{}: {}", origin(id), range_text(group, value.constant != nullptr));
      decision.reason += ranges_.is_masked(id) ? ", what the mask shuts out clamped" : "";
      const std::string& why = types_.groups.at(group_of(id)).why;
      decision.reason += why.empty() ? "" : "; " + why;
    }
    return decision;
  }

  [[nodiscard]] std::string origin(ValueId id) const {
    if (graph_.value(id).constant != nullptr) {
      return "constant";
    }
    if (is_input(id) || is_output(id)) {
      return is_input(id) ? "input" : "output";
    }
    return "result of " + describe(*computer_of(graph_, flow_, producers_, id));
  }

  [[nodiscard]] std::string range_text(const Group& group, bool constant) const {
    RealRange range = group.range;
    if (holds_probabilities(group)) {
      return fmt::format("probabilities, in steps of 1/{}", 1 << group.type.bits);
    }
    std::string text = fmt::format("[{:.6g}, {:.6g}]", range.r_min, range.r_max);
    if (!constant) {
      text += " seen by " + method_;
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
  std::string method_;  // of calibration
  const Recipe& recipe_;
  std::vector<std::int32_t> producers_;
  IntegerFlow flow_;
  ActivationRanges ranges_;
  const Statistics* statistics_;  // or nullptr
  ActivationTypes types_;
  std::map<ValueId, Group> groups_;
  std::map<std::pair<ValueId, const Node*>, LayerInput> read_as_;  // where it is not the group
  std::map<ValueId, std::vector<Decision>> copies_;                // the decisions for some readers alone
  std::map<ValueId, Decision> constants_;
  std::set<ValueId> listed_;
  std::size_t first_float_ = 0;
  QuantPlan plan_;
};

}  // namespace

const Decision* QuantPlan::find(std::string_view tensor) const {
  auto found = std::find_if(decisions.begin(), decisions.end(), [&](const Decision& decision) {
    return decision.tensor == tensor && decision.readers.empty();
  });
  return found == decisions.end() ? nullptr : &*found;
}

Result<QuantPlan> make_plan(const Graph& graph, const RangeTable& ranges, const Recipe& recipe,
                            const Statistics* statistics) {
  ZP_RETURN_IF_ERROR(verify(graph));
  Graph inferred = graph;
  ZP_RETURN_IF_ERROR(infer_shapes(inferred));
  return Planner(inferred, ranges, recipe, statistics).run();
}

}  // namespace zeropoint::toolchain
