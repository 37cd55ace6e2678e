#pragma once

#include "graph/onnx_node.h"
#include "import/graph_builder.h"

namespace zeropoint::toolchain {

/// Brings a node to the form of ops.inc, where the opset of its model has another: attributes that became
/// inputs, operators that have another name now, defaults that changed. What does not fit one node is added
/// before it, and `node` is its last part. Errors say what the form cannot be brought to.
Status upgrade(OnnxNode& node, GraphBuilder& builder);

}  // namespace zeropoint::toolchain
