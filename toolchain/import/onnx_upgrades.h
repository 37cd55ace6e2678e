#pragma once

#include <cstdint>
#include <string>
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
};

/// Brings a node to the form of ops.inc, where the opset of its model has another: attributes that became
/// inputs, operators that have another name now, defaults that changed. What does not fit one node is added
/// before it, and `node` is its last part. Errors say what the form cannot be brought to.
Status upgrade(OnnxNode& node, GraphBuilder& builder);

}  // namespace zeropoint::toolchain
