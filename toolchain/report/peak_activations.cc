#include "report/peak_activations.h"

#include <algorithm>
#include <numeric>

namespace zeropoint::toolchain {

std::int64_t peak_activations(const Graph& graph, const std::vector<bool>& is_conversion) {
  std::vector<std::size_t> last_use(graph.values.size(), 0);
  std::vector<ValueId> stands_for(graph.values.size());
  std::iota(stands_for.begin(), stands_for.end(), 0);
  auto origin = [&](ValueId id) { return stands_for[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (is_conversion[i]) {
      stands_for[static_cast<std::size_t>(node.outputs[0])] = origin(node.inputs[0]);
    }
    for (ValueId input : node.inputs) {
      if (input != kNoValue) {
        last_use[static_cast<std::size_t>(origin(input))] = i;
      }
    }
  }
  for (ValueId output : graph.outputs) {
    last_use[static_cast<std::size_t>(origin(output))] = graph.nodes.size();
  }
  std::vector<ValueId> alive(graph.inputs);
  std::int64_t now = 0;
  for (ValueId id : alive) {
    now += known_elements(graph.value(id));
  }
  std::int64_t most = now;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId output : graph.nodes[i].outputs) {
      if (output != kNoValue && !is_conversion[i]) {
        alive.push_back(output);
        now += known_elements(graph.value(output));
      }
    }
    most = std::max(most, now);
    std::erase_if(alive, [&](ValueId id) {
      bool dead = last_use[static_cast<std::size_t>(id)] <= i;
      now -= dead ? known_elements(graph.value(id)) : 0;
      return dead;
    });
  }
  return most;
}

}  // namespace zeropoint::toolchain
