#pragma once

#include <cstddef>
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

/// Writes `graph` as an ONNX model: opset 13, or 19 or 21 where a node needs it, weights inside. Names of
/// nodes and tensors are kept. kResourceExhausted above 2 GiB, which one protobuf file cannot hold; kIo as
/// write_file().
Status write_onnx(const Graph& graph, const std::string& path);
/// The bytes of that file.
Result<std::string> to_onnx(const Graph& graph);

}  // namespace zeropoint::toolchain
