#include "quantize/integer_flow.h"

#include <algorithm>
#include <numeric>

namespace zeropoint::toolchain {
namespace {

using Kind = NodeRole::Kind;

class FlowFinder {
 public:
  FlowFinder(const Graph& graph, const Recipe& recipe)
      : graph_(graph), output_(recipe.output), readers_(consumers(graph)), is_output_(graph.values.size()) {
    for (ValueId id : graph.outputs) {
      is_output_[index(id)] = true;
    }
    for (const Node& node : graph.nodes) {
      flow_.roles.push_back(role_of(graph, node));
      leave_to_recipe(node_recipe(recipe, node), flow_.roles.back());
    }
    flow_.absorbed.resize(graph.nodes.size());
    flow_.quantized.resize(graph.values.size());
    flow_.group.resize(graph.values.size());
    std::iota(flow_.group.begin(), flow_.group.end(), 0);
  }

  IntegerFlow run() {
    if (output_ == Recipe::Output::kAccumulator) {
      leave_scores_unrounded();
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      Kind kind = flow_.roles[i].kind;
      if (!flow_.absorbed[i] && (kind == Kind::kLayer || kind == Kind::kComputes || kind == Kind::kTable)) {
        quantize_around(i);
      }
    }
    spread_through_moves();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      join_group(i);
    }
    for (ValueId& member : flow_.group) {
      member = root(member);
    }
    return std::move(flow_);
  }

 private:
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

  static void leave_to_recipe(const NodeRecipe& wish, NodeRole& role) {
    if (!role.quantized() || (!wish.in_float && wish.mode == ActivationMode::kStatic)) {
      return;
    }
    bool weights = role.kind == Kind::kLayer && !wish.in_float;
    std::string why = "the recipe keeps it in float";
    if (weights) {
      why = wish.mode == ActivationMode::kDynamic ? "its weights are quantized, its input by each run"
                                                  : "its weights alone are quantized";
    } else if (!wish.in_float) {
      why = "the recipe keeps activations in float";
    }
    role = {Kind::kFloat, std::move(why), {}};
  }

  /// From the end on: nodes that only shape scores for those who read the graph's outputs.
  void leave_scores_unrounded() {
    std::vector<bool> tail(graph_.nodes.size());
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      NodeRole& role = flow_.roles[i];
      ValueId result = node.outputs[0];
      bool last = result != kNoValue && only_read(result, [&](std::size_t reader) { return tail[reader]; });
      if (role.quantized() && shapes_scores(node) && last) {
        role = {Kind::kFloat, "it shapes the scores, which are not rounded", {}};
        tail[i] = true;
      }
    }
  }

  [[nodiscard]] bool shapes_scores(const Node& node) const {
    switch (node.op) {
      case Op::kFlatten:
      case Op::kReshape:
      case Op::kSqueeze:
      case Op::kUnsqueeze:
      case Op::kSoftmax:
      case Op::kLogSoftmax:
      case Op::kSigmoid:
      case Op::kAveragePool:
      case Op::kGlobalAveragePool:
      case Op::kReduceMean:
        return true;
      case Op::kAdd:
      case Op::kSub:
      case Op::kMul:
      case Op::kDiv:
        return graph_.constant(node, 0) != nullptr || graph_.constant(node, 1) != nullptr;
      default:
        return false;
    }
  }

  /// Whether `id` leaves the graph or is read, and then by nodes that `accepted` says alone.
  template <typename Accepted>
  [[nodiscard]] bool only_read(ValueId id, Accepted accepted) const {
    const std::vector<std::int32_t>& readers = readers_[index(id)];
    return (is_output_[index(id)] || !readers.empty()) &&
           std::all_of(readers.begin(), readers.end(),
                       [&](std::int32_t reader) { return accepted(static_cast<std::size_t>(reader)); });
  }

  /// The node's operands, and its result after the activations that become part of it.
  void quantize_around(std::size_t i) {
    const Node& node = graph_.nodes[i];
    for (std::size_t operand : flow_.roles[i].operands) {
      const Tensor* constant = graph_.constant(node, operand);
      if (node.has_input(operand) && (constant == nullptr || constant->size() > 1)) {
        flow_.quantized[index(node.inputs[operand])] = true;
      }
    }
    ValueId last = node.outputs[0];
    bool table = flow_.roles[i].kind == Kind::kTable;
    while (const Node* next = activation_behind(last, table)) {
      last = next->outputs[0];
      flow_.absorbed[static_cast<std::size_t>(next - graph_.nodes.data())] = true;
    }
    bool accumulator =
        output_ == Recipe::Output::kAccumulator && last == node.outputs[0] &&
        flow_.roles[i].kind == Kind::kLayer &&
        only_read(last, [&](std::size_t reader) { return flow_.roles[reader].kind == Kind::kFloat; });
    if (!accumulator && last != kNoValue) {
      flow_.quantized[index(last)] = true;
    }
  }

  /// The activation that alone reads `id`: a Relu or Clip narrows any result, and a table takes in any other.
  [[nodiscard]] const Node* activation_behind(ValueId id, bool table) const {
    if (id == kNoValue || readers_[index(id)].size() != 1 || is_output_[index(id)]) {
      return nullptr;
    }
    std::size_t i = index(readers_[index(id)][0]);
    const Node& next = graph_.nodes[i];
    bool clamp = next.op == Op::kRelu || next.op == Op::kClip;
    return flow_.roles[i].kind == Kind::kTable && (clamp || table) && next.inputs[0] == id ? &next : nullptr;
  }

  /// To a fixed point: each round turns at least one value, so it ends.
  void spread_through_moves() {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
        changed |= spread(i);
      }
      for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
        changed |= spread(i);
      }
    }
  }

  /// The values whose integers a moving node has in common.
  [[nodiscard]] std::vector<ValueId> moved(std::size_t i) const {
    std::vector<ValueId> values;
    if (flow_.roles[i].kind != Kind::kMoves) {
      return values;
    }
    const Node& node = graph_.nodes[i];
    for (std::size_t operand : flow_.roles[i].operands) {
      if (node.has_input(operand)) {
        values.push_back(node.inputs[operand]);
      }
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue && graph_.value(output).type == ElementType::kFloat32) {
        values.push_back(output);
      }
    }
    return values;
  }

  bool spread(std::size_t i) {
    std::vector<ValueId> values = moved(i);
    auto quantized = [&](ValueId id) { return flow_.quantized[index(id)]; };
    if (std::none_of(values.begin(), values.end(), quantized) ||
        std::all_of(values.begin(), values.end(), quantized)) {
      return false;
    }
    for (ValueId id : values) {
      flow_.quantized[index(id)] = true;
    }
    return true;
  }

  void join_group(std::size_t i) {
    std::vector<ValueId> values = moved(i);
    for (ValueId id : values) {
      if (flow_.quantized[index(id)]) {
        flow_.group[index(root(id))] = root(values[0]);
      }
    }
  }

  ValueId root(ValueId id) {
    while (flow_.group[index(id)] != id) {
      id = flow_.group[index(id)] = flow_.group[index(flow_.group[index(id)])];
    }
    return id;
  }

  const Graph& graph_;
  Recipe::Output output_;
  std::vector<std::vector<std::int32_t>> readers_;
  std::vector<bool> is_output_;
  IntegerFlow flow_;
};

}  // namespace

IntegerFlow integer_flow(const Graph& graph, const Recipe& recipe) { return FlowFinder(graph, recipe).run(); }

}  // namespace zeropoint::toolchain
