#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {
namespace {

struct AttributePrinter {
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(float value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::shared_ptr<const Tensor>& value) const {
    return fmt::format("{}{}", zeropoint::name_of(value->type()), zeropoint::to_string(value->shape()));
  }
  template <typename T>
  std::string operator()(const std::vector<T>& values) const {
    return fmt::format("[{}]", fmt::join(values, ", "));
  }
};

std::string typed(const Graph& graph, ValueId id) {
  if (id == kNoValue) {
    return "-";
  }
  const Value& value = graph.value(id);
  return fmt::format("{} {}{}", value.name, zeropoint::name_of(value.type),
                     value.dims ? to_string(*value.dims) : "[?]");
}

std::string joined(const Graph& graph, std::span<const ValueId> ids) {
  std::string text;
  for (ValueId id : ids) {
    text += (text.empty() ? "" : ", ") + typed(graph, id);
  }
  return text;
}

}  // namespace

std::string print(const Graph& graph) {
  std::string text = fmt::format("graph {}\n  in   {}\n", graph.name, joined(graph, graph.inputs));
  for (const Node& node : graph.nodes) {
    text += fmt::format("  {:<17} {:<16} {} -> {}", name_of(node.op), node.name, joined(graph, node.inputs),
                        joined(graph, node.outputs));
    for (const auto& [name, attribute] : node.attributes) {
      text += fmt::format("  {}={}", name, std::visit(AttributePrinter{}, attribute));
    }
    text += '\n';
  }
  return text + fmt::format("  out  {}\n", joined(graph, graph.outputs));
}

}  // namespace zeropoint::toolchain
