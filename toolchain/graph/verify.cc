#include <fmt/format.h>

#include <string_view>
#include <unordered_set>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {
namespace {

AttributeKind kind_of(const Attribute& attribute) { return static_cast<AttributeKind>(attribute.index()); }

Status verify_attributes(const Node& node) {
  for (const auto& [name, attribute] : node.attributes) {
    const AttributeInfo* info = info_of(node.op).find_attribute(name);
    if (info == nullptr) {
      return Status::unsupported(
          fmt::format("{} has attribute '{}', which is not known here", describe(node), name));
    }
    if (info->kind() != kind_of(attribute)) {
      return Status::invalid_argument(
          fmt::format("{}: attribute '{}' is of the wrong kind", describe(node), name));
    }
  }
  return {};
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), defined_(graph.values.size(), false) {}

  Status run() {
    ZP_RETURN_IF_ERROR(verify_names());
    for (ValueId input : graph_.inputs) {
      ZP_RETURN_IF_ERROR(define(input, "the graph's inputs"));
    }
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].constant != nullptr) {
        ZP_RETURN_IF_ERROR(define(static_cast<ValueId>(i), "a constant"));
      }
    }
    for (const Node& node : graph_.nodes) {
      ZP_RETURN_IF_ERROR(verify_node(node));
    }
    for (ValueId output : graph_.outputs) {
      ZP_RETURN_IF_ERROR(use(output, "the graph's outputs"));
    }
    return {};
  }

 private:
  Status verify_names() const {
    std::unordered_set<std::string_view> names;
    for (const Value& value : graph_.values) {
      if (value.name.empty() || !names.insert(value.name).second) {
        return Status::invalid_argument(fmt::format("tensor name '{}' is empty or used twice", value.name));
      }
    }
    return {};
  }

  Status verify_node(const Node& node) {
    ZP_RETURN_IF_ERROR(verify_form(node));
    for (ValueId input : node.inputs) {
      if (input != kNoValue) {
        ZP_RETURN_IF_ERROR(use(input, describe(node)));
      }
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue) {
        ZP_RETURN_IF_ERROR(define(output, describe(node)));
      }
    }
    return {};
  }

  Status use(ValueId id, const std::string& where) const {
    if (!in_range(id)) {
      return Status::internal(
          fmt::format("{} names tensor number {} of {}", where, id, graph_.values.size()));
    }
    if (!defined_[static_cast<std::size_t>(id)]) {
      return Status::invalid_argument(
          fmt::format("{} uses tensor '{}' before anything makes it", where, graph_.value(id).name));
    }
    return {};
  }

  Status define(ValueId id, const std::string& where) {
    if (!in_range(id)) {
      return Status::internal(
          fmt::format("{} names tensor number {} of {}", where, id, graph_.values.size()));
    }
    if (defined_[static_cast<std::size_t>(id)]) {
      return Status::invalid_argument(
          fmt::format("{} makes tensor '{}' a second time", where, graph_.value(id).name));
    }
    defined_[static_cast<std::size_t>(id)] = true;
    return {};
  }

  [[nodiscard]] bool in_range(ValueId id) const {
    return id >= 0 && static_cast<std::size_t>(id) < graph_.values.size();
  }

  const Graph& graph_;
  std::vector<bool> defined_;
};

}  // namespace

Status verify_form(const Node& node) {
  const OpInfo& info = info_of(node.op);
  auto needed = [](std::size_t least, std::size_t most) {
    return most == kMany ? fmt::format("{} or more", least) : fmt::format("{} to {}", least, most);
  };
  if (node.inputs.size() < info.min_inputs || node.inputs.size() > info.max_inputs) {
    return Status::invalid_argument(fmt::format("{} has {} inputs; {} are needed", describe(node),
                                                node.inputs.size(),
                                                needed(info.min_inputs, info.max_inputs)));
  }
  if (node.outputs.empty() || node.outputs.size() > info.max_outputs) {
    return Status::invalid_argument(fmt::format("{} has {} outputs; {} are needed", describe(node),
                                                node.outputs.size(), needed(1, info.max_outputs)));
  }
  // Where there may be any number, none of them is optional.
  std::size_t required = info.max_inputs == kMany ? node.inputs.size() : info.min_inputs;
  for (std::size_t i = 0; i < required; ++i) {
    if (!node.has_input(i)) {
      return Status::invalid_argument(fmt::format("{} lacks input {}", describe(node), i));
    }
  }
  return verify_attributes(node);
}

Status verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace zeropoint::toolchain
