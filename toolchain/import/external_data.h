#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// Reads the bytes of a tensor that is kept in another file (ONNX: TensorProto.external_data) into `tensor`.
/// `folder` is that of the model; empty where the model is no file. kInvalidArgument for a location outside
/// of the folder, kCorrupt where offset and length do not give the tensor's bytes, kNotFound, kIo.
Status read_external(const onnx::TensorProto& proto, const std::string& folder, std::span<std::byte> bytes);

/// Whether the file holds as many bytes as the tensor needs; asks for no memory.
Status check_external(const onnx::TensorProto& proto, const std::string& folder, std::size_t bytes);

}  // namespace zeropoint::toolchain
