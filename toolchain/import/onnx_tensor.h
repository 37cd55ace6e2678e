#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// Whether a TensorProto.DataType is an ElementType.
bool is_element_type(int data_type);

/// The tensor that a TensorProto holds, in raw_data, in the field of its type, or in a file in `folder`.
/// kCorrupt when the data does not fill the shape exactly; no memory is asked for before that is known.
Result<Tensor> tensor_from_proto(const onnx::TensorProto& proto, const std::string& folder = "");

/// The bytes that ONNX stores for so many elements: 4-bit ones are packed in pairs, the first one low.
std::size_t stored_bytes(ElementType type, std::int64_t count);

/// The tensor's elements as ONNX stores them.
std::string stored_form(const Tensor& tensor);

/// `tensor` under `name`, as raw_data.
void tensor_to_proto(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

}  // namespace zeropoint::toolchain
