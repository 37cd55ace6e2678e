#pragma once

#include <optional>
#include <vector>

#include "graph/onnx_node.h"

namespace zeropoint::toolchain {

/// A graph as an ONNX model of some opset holds it.
struct ModelForm {
  Graph graph;                  ///< values, inputs and outputs; its nodes are moved to `nodes`
  std::vector<OnnxNode> nodes;  ///< in the form of `opset`
  std::int64_t opset;           ///< of ONNX's own domain
  /// Per value: a constant that became an attribute, and that nothing reads any more.
  std::vector<bool> left_out;
};

/// Without an opset: the lowest, from 13 on, that has every node as it stands in the graph. (Older ones have
/// no scales per channel, and engines fuse quantized operators in newer ones alone; whoever needs one asks
/// for it.) kUnsupported for an opset that cannot say the graph, naming the node, what it needs, and the
/// opset that has it.
Result<ModelForm> model_form(const Graph& graph, std::optional<std::int64_t> opset);

}  // namespace zeropoint::toolchain
