#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "zeropoint/operator.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// One extent of a value's shape: a number, or a symbol ("N") for what is known only when the graph runs.
struct Dim {
  std::int64_t extent = -1;
  std::string symbol;

  Dim(std::int64_t known) : extent(known) {}
  explicit Dim(std::string unknown) : symbol(std::move(unknown)) {}

  [[nodiscard]] bool known() const { return extent >= 0; }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Dims = std::vector<Dim>;

/// "[N, 1, 28, 28]"
std::string to_string(const Dims& dims);
/// Dims of a concrete shape.
Dims dims_of(const Shape& shape);
/// The concrete shape where `batch` stands for every extent that is not known.
Shape shape_of(const Dims& dims, std::int64_t batch);

bool has_known_extents(const Dims& dims);

/// Index of a Value in its Graph. kNoValue marks an optional input that is not given.
using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;

/// A tensor that flows along the edges of a graph, or a constant.
struct Value {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::optional<Dims> dims;                ///< none: not inferred yet
  std::shared_ptr<const Tensor> constant;  ///< set for weights and other constants
};

/// The number of elements, or 0 where an extent is not known.
std::int64_t known_elements(const Value& value);

/// One application of an operator.
struct Node {
  Op op;
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;  ///< kNoValue for an optional output that nobody reads
  Attributes attributes;

  [[nodiscard]] bool has_input(std::size_t i) const { return i < inputs.size() && inputs[i] != kNoValue; }
};

/// The attribute's value, or the default that ops.inc gives it. A wrong kind cannot occur after verify().
inline std::int64_t int_attribute(const Node& node, std::string_view name) {
  return zeropoint::int_attribute(node.op, node.attributes, name);
}
inline float float_attribute(const Node& node, std::string_view name) {
  return zeropoint::float_attribute(node.op, node.attributes, name);
}
inline std::string string_attribute(const Node& node, std::string_view name) {
  return zeropoint::string_attribute(node.op, node.attributes, name);
}
/// Empty when the node does not carry it.
inline std::vector<std::int64_t> ints_attribute(const Node& node, std::string_view name) {
  return zeropoint::ints_attribute(node.attributes, name);
}

/// "Conv 'conv1'": how messages name a node.
std::string describe(const Node& node);

/// A network: values, and nodes in an order in which they can run. A plain value type; copies share the
/// constants' memory, which never changes. Not safe for concurrent modification.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, std::string> metadata;

  [[nodiscard]] const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
  /// The constant behind an input of a node, or nullptr when the input is absent or computed.
  [[nodiscard]] const Tensor* constant(const Node& node, std::size_t input) const;

  ValueId add_value(std::string value_name, ElementType type = ElementType::kFloat32);
  ValueId add_input(std::string value_name, ElementType type, Dims dims);
  ValueId add_constant(std::string value_name, Tensor tensor);
  /// Appends a node with one output, named `output_name`, and returns that output.
  ValueId add_node(Op op, std::string node_name, std::vector<ValueId> node_inputs, std::string output_name,
                   Attributes attributes = {});
  [[nodiscard]] ValueId find(std::string_view value_name) const;
};

/// For each value, the index of the node that makes it, or -1 for inputs and constants.
std::vector<std::int32_t> producers(const Graph& graph);

/// Nodes whose name an earlier node has become `name`_2, `name`_3, ...; ONNX Runtime refuses files in which
/// two nodes share one. Nodes without a name stay so.
void number_repeated_names(Graph& graph);
/// For each value, the indices of the nodes that read it, in order; a node that reads it twice is listed
/// once.
std::vector<std::vector<std::int32_t>> consumers(const Graph& graph);

/// Checks that a node has as many inputs and outputs as ops.inc says, and attributes that it has, of their
/// kind.
Status verify_form(const Node& node);

/// Checks the graph's form: ids in range, unique value names, each value made once and before it is used,
/// operators with the number of inputs and outputs and the attributes of ops.inc, outputs that exist. Errors
/// name node, operator, tensor.
Status verify(const Graph& graph);

/// Gives every value its element type and dims, from the inputs' and constants' on; dims stay unknown where
/// they depend on what only a run can tell. Extents that are computed from symbols and constants (Shape,
/// Gather, Concat, Reshape) are followed. Errors name the node whose inputs do not fit together and the
/// shapes they have.
Status infer_shapes(Graph& graph);

/// The number of samples that each run of the graph takes, where its inputs' first extents say one; none
/// where they leave it open.
std::optional<std::int64_t> fixed_batch(const Graph& graph);

/// The graph as text: one line per node with operator, name, inputs, outputs, shapes and attributes.
std::string print(const Graph& graph);

}  // namespace zeropoint::toolchain
