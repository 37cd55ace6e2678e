#pragma once

#include "graph/onnx_node.h"
#include "import/graph_builder.h"

namespace zeropoint::toolchain {

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
