#include "report/forced_graph.h"

#include <map>

namespace zeropoint::toolchain {

ForcedGraph forced_graph(const Graph& quantized, const std::vector<QuantizedPoint>& points) {
  ForcedGraph result{quantized, {}};
  Graph& graph = result.graph;
  std::map<ValueId, ValueId> read_instead;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::vector<ValueId>& results = points[i].results;
    std::vector<ValueId> cut = results.empty() ? std::vector<ValueId>{points[i].real} : results;
    const Value& value = quantized.value(cut[0]);
    bool is_input =
        results.empty() && std::count(quantized.inputs.begin(), quantized.inputs.end(), cut[0]) > 0;
    if (is_input || !value.dims) {
      continue;
    }
    ValueId input = graph.add_input(value.name + " as in the float network", value.type, *value.dims);
    for (ValueId id : cut) {
      read_instead[id] = input;
    }
    result.forced.push_back(i);
  }
  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) {
      auto found = read_instead.find(input);
      input = found == read_instead.end() ? input : found->second;
    }
  }
  return result;
}

}  // namespace zeropoint::toolchain
