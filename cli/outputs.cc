#include "outputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::cli {

using toolchain::Graph;
using toolchain::ValueId;

Status select_output(Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (ValueId output : graph.outputs) {
    if (graph.value(output).name == name) {
      graph.outputs = {output};
      return {};
    }
    names.push_back(graph.value(output).name);
  }
  if (!name.empty()) {
    std::string guess = toolchain::nearest(name, names);
    return Status::invalid_argument(fmt::format("there is no output '{}'; {}", name,
                                                guess.empty()
                                                    ? fmt::format("there are: {}", fmt::join(names, ", "))
                                                    : fmt::format("did you mean {}?", guess)));
  }
  return names.size() == 1
             ? Status()
             : Status::invalid_argument(fmt::format("the model has {} outputs; choose one with --output: {}",
                                                    names.size(), fmt::join(names, ", ")));
}

bool ends_in_softmax(const Graph& graph) {
  std::vector<std::int32_t> makers = toolchain::producers(graph);
  ValueId value = graph.outputs.front();
  while (makers[static_cast<std::size_t>(value)] >= 0) {
    const toolchain::Node& node =
        graph.nodes[static_cast<std::size_t>(makers[static_cast<std::size_t>(value)])];
    switch (node.op) {
      case Op::kSoftmax:
        return true;
      case Op::kReshape:
      case Op::kFlatten:
      case Op::kSqueeze:
      case Op::kUnsqueeze:
      case Op::kIdentity:
      case Op::kQuantizeLinear:
      case Op::kDequantizeLinear:
        value = node.inputs[0];
        break;
      default:
        return false;
    }
  }
  return false;
}

}  // namespace zeropoint::cli
