#include "zeropoint/toolchain/graph.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

namespace zeropoint::toolchain {

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    text += i == 0 ? "" : ", ";
    text +=
        dims[i].known() ? std::to_string(dims[i].extent) : (dims[i].symbol.empty() ? "?" : dims[i].symbol);
  }
  return text + "]";
}

Dims dims_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

Shape shape_of(const Dims& dims, std::int64_t batch) {
  Shape shape;
  for (const Dim& dim : dims) {
    shape.push_back(dim.known() ? dim.extent : batch);
  }
  return shape;
}

const Tensor* Graph::constant(const Node& node, std::size_t input) const {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) {
    return nullptr;
  }
  return value(node.inputs[input]).constant.get();
}

ValueId Graph::add_value(std::string value_name, ElementType type) {
  values.push_back({std::move(value_name), type, std::nullopt, nullptr});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_input(std::string value_name, ElementType type, Dims dims) {
  ValueId id = add_value(std::move(value_name), type);
  value(id).dims = std::move(dims);
  inputs.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  ValueId id = add_value(std::move(value_name), tensor.type());
  value(id).dims = dims_of(tensor.shape());
  value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
  return id;
}

ValueId Graph::add_node(Op op, std::string node_name, std::vector<ValueId> node_inputs,
                        std::string output_name, Attributes attributes) {
  ValueId output = add_value(std::move(output_name));
  nodes.push_back({op, std::move(node_name), std::move(node_inputs), {output}, std::move(attributes)});
  return output;
}

ValueId Graph::find(std::string_view value_name) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].name == value_name) {
      return static_cast<ValueId>(i);
    }
  }
  return kNoValue;
}

std::string describe(const Node& node) { return fmt::format("{} '{}'", name_of(node.op), node.name); }

void number_repeated_names(Graph& graph) {
  std::unordered_map<std::string, int> last;  // number given out after each name
  for (const Node& node : graph.nodes) {
    last.emplace(node.name, 1);
  }
  std::unordered_set<std::string> seen;
  for (Node& node : graph.nodes) {
    if (node.name.empty() || seen.insert(node.name).second) {
      continue;
    }
    std::string numbered;
    do {
      numbered = fmt::format("{}_{}", node.name, ++last[node.name]);
    } while (!last.emplace(numbered, 1).second);
    node.name = std::move(numbered);
  }
}

std::vector<std::int32_t> producers(const Graph& graph) {
  std::vector<std::int32_t> made_by(graph.values.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId output : graph.nodes[i].outputs) {
      if (output != kNoValue) {
        made_by[static_cast<std::size_t>(output)] = static_cast<std::int32_t>(i);
      }
    }
  }
  return made_by;
}

std::vector<std::vector<std::int32_t>> consumers(const Graph& graph) {
  std::vector<std::vector<std::int32_t>> read_by(graph.values.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId input : graph.nodes[i].inputs) {
      if (input == kNoValue) {
        continue;
      }
      auto& readers = read_by[static_cast<std::size_t>(input)];
      if (readers.empty() || readers.back() != static_cast<std::int32_t>(i)) {
        readers.push_back(static_cast<std::int32_t>(i));
      }
    }
  }
  return read_by;
}

bool has_known_extents(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.known(); });
}

std::int64_t known_elements(const Value& value) {
  if (!value.dims || !has_known_extents(*value.dims)) {
    return 0;
  }
  // No machine holds more, and sums over a graph's values stay in 63 bits.
  constexpr std::int64_t kMost = std::int64_t{1} << 44;
  Result<std::int64_t> count = element_count(shape_of(*value.dims, -1));
  return count.ok() && *count <= kMost ? *count : 0;
}

std::optional<std::int64_t> fixed_batch(const Graph& graph) {
  for (ValueId input : graph.inputs) {
    const std::optional<Dims>& dims = graph.value(input).dims;
    if (dims && !dims->empty() && dims->front().known()) {
      return dims->front().extent;
    }
  }
  return std::nullopt;
}

}  // namespace zeropoint::toolchain
