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

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// The operators of ops.inc: Op::kConv, Op::kGemm, ...
enum class Op : std::uint16_t {
#define ZP_OP(name, ...) k##name,
#include "zeropoint/toolchain/ops.inc"
};

std::string_view name_of(Op op);
/// The operator of that ONNX name and domain, if the table has it.
std::optional<Op> find_op(std::string_view name, std::string_view domain = "");

/// What a node can be told besides its inputs. The kinds are those of ONNX's AttributeProto.
using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>, std::shared_ptr<const Tensor>>;

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

/// One application of an operator.
struct Node {
  Op op;
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, Attribute> attributes;
};

/// The attribute's value, or the default that ops.inc gives it. A wrong kind cannot occur after verify().
std::int64_t int_attribute(const Node& node, std::string_view name);
float float_attribute(const Node& node, std::string_view name);
std::string string_attribute(const Node& node, std::string_view name);
/// Empty when the node does not carry it.
std::vector<std::int64_t> ints_attribute(const Node& node, std::string_view name);

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
                   std::map<std::string, Attribute> attributes = {});
  [[nodiscard]] ValueId find(std::string_view value_name) const;
};

/// For each value, the index of the node that makes it, or -1 for inputs and constants.
std::vector<std::int32_t> producers(const Graph& graph);
/// For each value, the indices of the nodes that read it, in order; a node that reads it twice is listed
/// once.
std::vector<std::vector<std::int32_t>> consumers(const Graph& graph);

/// Checks the graph's form: ids in range, unique value names, each value made once and before it is used,
/// operators with the number of inputs and the attributes of ops.inc, outputs that exist. Errors name node,
/// operator, tensor.
Status verify(const Graph& graph);

/// Gives every value its element type and dims, from the inputs' and constants' on. Errors name the node
/// whose inputs do not fit together and the shapes they have.
Status infer_shapes(Graph& graph);

/// The graph as text: one line per node with operator, name, inputs, outputs, shapes and attributes.
std::string print(const Graph& graph);

}  // namespace zeropoint::toolchain
