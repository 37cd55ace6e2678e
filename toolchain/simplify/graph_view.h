#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Looks along the edges of a graph whose nodes are being replaced one by one. A replacement makes the same
/// values as the node it stands for, so that what the view says stays true; so it does where values are
/// added.
class GraphView {
 public:
  explicit GraphView(const Graph& graph);

  /// The node that makes `id`; nullptr for inputs, constants and kNoValue.
  [[nodiscard]] const Node* maker(ValueId id) const;
  /// The same, if it is of that operator.
  [[nodiscard]] const Node* maker(ValueId id, Op op) const;
  /// Whether one node alone reads `id`, and the graph does not give it.
  [[nodiscard]] bool has_one_reader(ValueId id) const;
  /// Whether so many nodes read `id` that another constant for each of them would be out of proportion to the
  /// model.
  [[nodiscard]] bool is_widely_shared(ValueId id) const;
  [[nodiscard]] bool is_output(ValueId id) const { return is_output_[static_cast<std::size_t>(id)]; }

  /// The element of a float32 constant of one element.
  [[nodiscard]] std::optional<float> number(ValueId id) const;
  /// Whether it is `value` to six digits: constants of formulas are written with more or fewer.
  [[nodiscard]] bool is_number(ValueId id, double value) const;
  /// Whether both have the same number of axes. Where constants of one element stand between them, which may
  /// have more axes than either, the rest of their dims is the same too.
  [[nodiscard]] bool have_one_rank(ValueId a, ValueId b) const;
  /// A float32 constant; nullptr for anything else.
  [[nodiscard]] const Tensor* floats(ValueId id) const;

 private:
  const Graph* graph_;
  std::vector<std::int32_t> producers_;
  std::vector<std::size_t> readers_;
  std::vector<bool> is_output_;
};

/// The two inputs of a node in the order in which `is_first` holds for the first; none where it holds for
/// neither. For operators whose inputs may change places.
template <typename Predicate>
std::optional<std::pair<ValueId, ValueId>> either_way(const Node& node, Predicate&& is_first) {
  if (node.inputs.size() == 2) {
    for (std::size_t i : {0U, 1U}) {
      if (is_first(node.inputs[i])) {
        return std::pair(node.inputs[i], node.inputs[1 - i]);
      }
    }
  }
  return std::nullopt;
}

/// Goes through the nodes: `rewrite(node)` appends what stands for it to `made` and says so, or leaves it.
/// How many it replaced. The graph keeps its old nodes until the end, so that a view of it stays true.
template <typename Rewrite>
std::size_t rewrite_nodes(Graph& graph, std::vector<Node>& made, Rewrite&& rewrite) {
  std::size_t changes = 0;
  for (const Node& node : graph.nodes) {
    if (rewrite(node)) {
      ++changes;
    } else {
      made.push_back(node);
    }
  }
  graph.nodes = std::move(made);
  return changes;
}

/// Names for values that a pass adds, unlike those that the graph has.
class NewNames {
 public:
  explicit NewNames(const Graph& graph) : graph_(&graph) {}

  /// `name`, or `name`_2, _3, ... where a value is called so.
  std::string take(const std::string& name);
  [[nodiscard]] bool is_taken(const std::string& name);

 private:
  void fill();

  const Graph* graph_;
  /// With the last number given out after each; filled when the first is asked for.
  std::unordered_map<std::string, int> taken_;
};

/// Before: nodes whose outputs nothing reads, values that nothing reads or makes.
/// After:  they are gone; ids of values change.
void remove_dead(Graph& graph);

}  // namespace zeropoint::toolchain
