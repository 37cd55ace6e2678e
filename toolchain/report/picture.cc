#include "zeropoint/toolchain/picture.h"

#include <fmt/format.h>
#include <graphviz/gvc.h>

#include <algorithm>
#include <memory>

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kMostNodes = 20000;

/// Text between the quotes of a DOT string.
std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result;
}

std::string described(const Value& value) {
  return fmt::format("{}{}", zeropoint::name_of(value.type), value.dims ? to_string(*value.dims) : "[?]");
}

bool is_border(const Node& node) {
  return node.op == Op::kQuantizeLinear || node.op == Op::kDequantizeLinear;
}

/// What fills the node's box: integers in, or out.
std::string_view fill_of(const Graph& graph, const Node& node) {
  auto is_quantized = [&](ValueId id) {
    return id != kNoValue && is_integer(graph.value(id).type) && size_of(graph.value(id).type) <= 2;
  };
  bool integers = std::any_of(node.inputs.begin(), node.inputs.end(), is_quantized) ||
                  std::any_of(node.outputs.begin(), node.outputs.end(), is_quantized);
  return is_border(node) ? "#e8e8e8" : (integers ? "#cfe8cf" : "white");
}

/// Operator, name, and the constants it reads.
std::string label_of(const Graph& graph, const Node& node) {
  std::string label = escaped(name_of(node.op));
  if (is_border(node)) {
    return label;
  }
  if (!node.name.empty()) {
    label += "\\n" + escaped(node.name);
  }
  for (ValueId input : node.inputs) {
    if (input != kNoValue && graph.value(input).constant != nullptr) {
      label += "\\n" + escaped(graph.value(input).name + " " + described(graph.value(input)));
    }
  }
  return label;
}

class Drawing {
 public:
  explicit Drawing(const Graph& graph) : graph_(graph), producers_(producers(graph)) {}

  std::string run() {
    text_ = fmt::format("digraph \"{}\" {{\n", escaped(graph_.name));
    text_ +=
        "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", "
        "fontsize=10]\n";
    text_ += "  edge [fontname=\"Helvetica\", fontsize=9]\n";
    for (ValueId input : graph_.inputs) {
      add_terminal("in", input);
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      add_node(i);
    }
    for (ValueId output : graph_.outputs) {
      add_terminal("out", output);
      add_edge(output, fmt::format("out{}", output));
    }
    return text_ + "}\n";
  }

 private:
  void add_terminal(std::string_view kind, ValueId id) {
    text_ += fmt::format("  {}{} [label=\"{}\", shape=oval, fillcolor=\"#dfe8f7\"]\n", kind, id,
                         escaped(graph_.value(id).name));
  }

  void add_node(std::size_t i) {
    const Node& node = graph_.nodes[i];
    text_ += fmt::format("  n{} [label=\"{}\", fillcolor=\"{}\"{}]\n", i, label_of(graph_, node),
                         fill_of(graph_, node), is_border(node) ? ", fontsize=8, height=0.2" : "");
    for (ValueId input : node.inputs) {
      if (input != kNoValue && graph_.value(input).constant == nullptr) {
        add_edge(input, fmt::format("n{}", i));
      }
    }
  }

  void add_edge(ValueId value, const std::string& to) {
    std::int32_t maker = producers_[static_cast<std::size_t>(value)];
    if (maker < 0 && graph_.value(value).constant != nullptr) {
      return;
    }
    std::string from = maker < 0 ? fmt::format("in{}", value) : fmt::format("n{}", maker);
    text_ += fmt::format("  {} -> {} [label=\"{}\"]\n", from, to, escaped(described(graph_.value(value))));
  }

  const Graph& graph_;
  std::vector<std::int32_t> producers_;
  std::string text_;
};

struct FreeContext {
  void operator()(GVC_t* context) const { gvFreeContext(context); }
};
struct CloseGraph {
  void operator()(Agraph_t* graph) const { agclose(graph); }
};

}  // namespace

std::string to_dot(const Graph& graph) { return Drawing(graph).run(); }

Result<std::string> to_svg(const Graph& graph) {
  if (graph.nodes.size() > kMostNodes) {
    return Status::resource_exhausted(
        fmt::format("the graph has {} nodes; pictures are drawn of at most {} (its DOT text can be written)",
                    graph.nodes.size(), kMostNodes));
  }
  std::unique_ptr<GVC_t, FreeContext> context(gvContext());
  std::unique_ptr<Agraph_t, CloseGraph> drawn(agmemread(to_dot(graph).c_str()));
  if (context == nullptr || drawn == nullptr || gvLayout(context.get(), drawn.get(), "dot") != 0) {
    return Status::internal("Graphviz could not lay the graph out");
  }
  char* text = nullptr;
  unsigned length = 0;
  int failed = gvRenderData(context.get(), drawn.get(), "svg", &text, &length);
  std::string svg = failed == 0 ? std::string(text, length) : std::string();
  gvFreeRenderData(text);
  gvFreeLayout(context.get(), drawn.get());
  return failed == 0 ? Result<std::string>(std::move(svg))
                     : Status::internal("Graphviz could not draw the graph");
}

}  // namespace zeropoint::toolchain
