#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "quantize/node_role.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

/// How a node reads a constant: "weights"; "bias of" one node; else as data.
std::string use_of(std::size_t node_index, std::size_t input, NodeRole::Kind kind) {
  if (kind != NodeRole::Kind::kLayer) {
    return "data";
  }
  return input == 1 ? "weights" : (input == 2 ? fmt::format("bias of {}", node_index) : "data");
}

}  // namespace

void separate_constants(Graph& graph) {
  std::map<ValueId, std::map<std::string, ValueId>> copies;  // per constant: its copy for each use
  std::set<std::string> names;
  for (const Value& value : graph.values) {
    names.insert(value.name);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    NodeRole::Kind kind = role_of(graph, graph.nodes[i]).kind;
    for (std::size_t input = 0; input < graph.nodes[i].inputs.size(); ++input) {
      ValueId id = graph.nodes[i].inputs[input];
      if (id == kNoValue || graph.value(id).constant == nullptr) {
        continue;
      }
      auto& uses = copies[id];
      auto [copy, is_new] = uses.try_emplace(use_of(i, input, kind), id);
      if (is_new && uses.size() > 1) {
        Value value = graph.value(id);
        for (int number = 2; !names.insert(value.name).second; ++number) {
          value.name = fmt::format("{}_{}", graph.value(id).name, number);
        }
        copy->second = static_cast<ValueId>(graph.values.size());
        graph.values.push_back(std::move(value));
      }
      graph.nodes[i].inputs[input] = copy->second;
    }
  }
}

}  // namespace zeropoint::toolchain
