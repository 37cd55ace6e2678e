#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Reads an ONNX model: opset 1 on, IR version 3 on. Its operators come in the form of ops.inc (older forms
/// are upgraded), in an order in which they can run; functions, and If and Loop whose conditions do not
/// depend on the inputs, are written out; weights may lie in other files of its folder. Verified, with shapes
/// inferred. kCorrupt for what is no model or contradicts itself, kUnsupported for what is no operator of
/// ops.inc, subgraphs that depend on inputs, element types that are no ElementType; messages name file, node
/// and tensor.
Result<Graph> read_onnx(const std::string& path);
/// The same from memory; `name` stands for the file in messages.
Result<Graph> read_onnx(std::span<const std::byte> content, const std::string& name);

struct OnnxOptions {
  /// 7 to 27. None: the lowest, from 13 to 21, in which every node stands as it does in the graph, or, where
  /// newer operators cannot be spelled out by older ones, a newer one; older ones are for those who ask,
  /// since they have no scales per channel. Nodes are brought to the form of an opset that was asked for:
  /// inputs become attributes, and what has no form there is an error.
  std::optional<std::int64_t> opset;
  /// Weights of 1 KiB and more go to a file beside the model, "model.onnx.data", each at a multiple of 4 KiB
  /// (64 KiB from 1 MiB on), so that they can be mapped. Models above 2 GiB are always written so.
  bool external_data = false;
};

/// Writes `graph` as an ONNX model. Names of nodes and tensors are kept, constants that became attributes
/// leave theirs. kUnsupported for what the opset cannot say, naming the node and the opset that can;
/// kResourceExhausted for more than 2 GiB without the weights; kIo as write_file(): then no file is changed.
Status write_onnx(const Graph& graph, const std::string& path, const OnnxOptions& options = {});
/// The bytes of that file, weights inside; kResourceExhausted above 2 GiB.
Result<std::string> to_onnx(const Graph& graph, std::optional<std::int64_t> opset = {});

}  // namespace zeropoint::toolchain
