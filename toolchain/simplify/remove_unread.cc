#include "simplify/remove_unread.h"

namespace zeropoint::toolchain {

void remove_unread_values(Graph& graph) {
  std::vector<ValueId> moved_to(graph.values.size(), kNoValue);
  auto keep = [&](const std::vector<ValueId>& ids) {
    for (ValueId id : ids) {
      if (id != kNoValue) {
        moved_to[static_cast<std::size_t>(id)] = id;
      }
    }
  };
  keep(graph.inputs);
  keep(graph.outputs);
  for (const Node& node : graph.nodes) {
    keep(node.inputs);
    keep(node.outputs);
  }
  std::vector<Value> values;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (moved_to[i] != kNoValue) {
      moved_to[i] = static_cast<ValueId>(values.size());
      values.push_back(std::move(graph.values[i]));
    }
  }
  graph.values = std::move(values);
  auto rename = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      id = id == kNoValue ? kNoValue : moved_to[static_cast<std::size_t>(id)];
    }
  };
  rename(graph.inputs);
  rename(graph.outputs);
  for (Node& node : graph.nodes) {
    rename(node.inputs);
    rename(node.outputs);
  }
}

}  // namespace zeropoint::toolchain
