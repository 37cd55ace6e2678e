#include "import/onnx_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace zeropoint::toolchain {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using Makers = std::unordered_map<std::string_view, int>;

/// Calls `visit` with every name that a node reads, inside of its subgraphs too.
void visit_reads(const onnx::NodeProto& node, const std::function<void(std::string_view)>& visit) {
  for (const std::string& input : node.input()) {
    visit(input);
  }
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    auto visit_graph = [&](const onnx::GraphProto& graph) {
      for (const onnx::NodeProto& inner : graph.node()) {
        visit_reads(inner, visit);
      }
      for (const onnx::ValueInfoProto& output : graph.output()) {
        visit(output.name());
      }
    };
    if (attribute.has_g()) {
      visit_graph(attribute.g());
    }
    for (const onnx::GraphProto& graph : attribute.graphs()) {
      visit_graph(graph);
    }
  }
}

/// Nodes each of which waits for the one before it, and the first for the last.
std::string cycle_among(const Nodes& nodes, const Makers& makers, const std::vector<int>& waiting) {
  auto first = std::find_if(waiting.begin(), waiting.end(), [](int count) { return count > 0; });
  std::vector<int> path{static_cast<int>(first - waiting.begin())};
  std::vector<int> place(waiting.size(), -1);
  while (place[static_cast<std::size_t>(path.back())] < 0) {
    place[static_cast<std::size_t>(path.back())] = static_cast<int>(path.size()) - 1;
    int next = -1;
    visit_reads(nodes[path.back()], [&](std::string_view name) {
      auto maker = makers.find(name);
      if (maker != makers.end() && waiting[static_cast<std::size_t>(maker->second)] > 0) {
        next = maker->second;
      }
    });
    path.push_back(next);
  }
  std::string text = describe(nodes[path.back()]);
  for (auto i = static_cast<int>(path.size()) - 2; i >= place[static_cast<std::size_t>(path.back())]; --i) {
    text += " -> " + describe(nodes[path[static_cast<std::size_t>(i)]]);
    if (text.size() > 400) {
      return text + " -> ...";
    }
  }
  return text;
}

}  // namespace

std::string describe(const onnx::NodeProto& node) {
  return fmt::format("{} '{}'", node.op_type(),
                     node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name());
}

Result<std::vector<int>> order_of(const Nodes& nodes) {
  Makers makers;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].output()) {
      if (!output.empty() && !makers.try_emplace(output, i).second) {
        return Status::corrupt(fmt::format("{} makes tensor '{}' a second time", describe(nodes[i]), output));
      }
    }
  }
  std::vector<std::vector<int>> readers(static_cast<std::size_t>(nodes.size()));
  std::vector<int> waiting(readers.size(), 0);
  for (int i = 0; i < nodes.size(); ++i) {
    visit_reads(nodes[i], [&](std::string_view name) {
      if (auto maker = makers.find(name); maker != makers.end()) {
        readers[static_cast<std::size_t>(maker->second)].push_back(i);
        ++waiting[static_cast<std::size_t>(i)];
      }
    });
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < nodes.size(); ++i) {
    if (waiting[static_cast<std::size_t>(i)] == 0) {
      ready.push(i);
    }
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (int reader : readers[static_cast<std::size_t>(order.back())]) {
      if (--waiting[static_cast<std::size_t>(reader)] == 0) {
        ready.push(reader);
      }
    }
  }
  if (order.size() < readers.size()) {
    return Status::corrupt("nodes wait for each other: " + cycle_among(nodes, makers, waiting));
  }
  return order;
}

}  // namespace zeropoint::toolchain
