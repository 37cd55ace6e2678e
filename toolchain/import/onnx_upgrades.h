#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/graph_builder.h"

namespace zeropoint::toolchain {

/// A node as a model has it: an operator by name, in the form of the model's opset.
struct OnnxNode {
  std::string op;
  std::string domain;  ///< "" for ONNX's own
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  std::int64_t opset = 0;  ///< of its domain

  /// Takes an attribute out of the node; none where it is not there or of another kind.
  template <typename T>
  std::optional<T> take(std::string_view attribute) {
    auto found = attributes.find(attribute);
    const T* value = found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
    std::optional<T> taken = value == nullptr ? std::nullopt : std::optional<T>(*value);
    if (value != nullptr) {
      attributes.erase(found);
    }
    return taken;
  }
  void set_input(std::size_t i, ValueId id);
};

/// A list of int64, named after the node and what it is.
ValueId add_ints(GraphBuilder& builder, const OnnxNode& node, const char* what,
                 const std::vector<std::int64_t>& values);

/// Brings a node to the form of ops.inc, where the opset of its model has another: attributes that became
/// inputs, operators that have another name now, defaults that changed. What does not fit one node is added
/// before it, and `node` is its last part. Errors say what the form cannot be brought to.
Status upgrade(OnnxNode& node, GraphBuilder& builder);

/// The part of it that leads from opsets 1 to 6 to opset 7, where operators began to broadcast their inputs
/// as NumPy does.
Status upgrade_to_opset_7(OnnxNode& node, GraphBuilder& builder);

}  // namespace zeropoint::toolchain
