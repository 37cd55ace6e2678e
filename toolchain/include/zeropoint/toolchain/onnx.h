#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Reads an ONNX model (a ModelProto of opset 13 on): its graph, initializers and metadata, verified and with
/// shapes inferred. kCorrupt for what is no model or contradicts itself, kUnsupported for operators outside
/// of ops.inc, subgraphs and external data; messages name file, node and tensor.
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
