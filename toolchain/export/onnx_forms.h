#pragma once

#include <cstdint>

#include "graph/onnx_node.h"

namespace zeropoint::toolchain {

/// Opsets that models are written with.
inline constexpr std::int64_t kOldestWritten = 7;
inline constexpr std::int64_t kNewestWritten = 27;

/// Brings a node from the form of ops.inc to the one that its opset (`node.opset`, of ONNX's own domain) has:
/// the inverse of upgrade(). Constants that the form needs are added to `graph`. kUnsupported where the opset
/// cannot say what the node says; the message tells what, in words that follow "cannot say": "axes that
/// are computed".
Status to_form_of_opset(OnnxNode& node, Graph& graph);

}  // namespace zeropoint::toolchain
