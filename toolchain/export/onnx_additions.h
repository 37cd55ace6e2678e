#pragma once

#include "graph/onnx_node.h"

// What operators got in later opsets without another form: attributes and element types.

namespace zeropoint::toolchain {

/// Takes attributes out that `node.opset` does not have. kUnsupported, naming the attribute, where one says
/// something.
Status leave_out_later_attributes(Op op, OnnxNode& node);

/// kUnsupported, naming attribute and value, where `node.opset` does not know the value.
Status check_values(Op op, const OnnxNode& node);

/// kUnsupported, naming type and tensor, for what `node.opset` does not apply the operator to.
Status check_types(Op op, const OnnxNode& node, const Graph& graph);

}  // namespace zeropoint::toolchain
