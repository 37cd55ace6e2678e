#pragma once

#include <onnx/onnx_pb.h>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// Whether a TensorProto.DataType is an ElementType.
bool is_element_type(int data_type);

/// The tensor that a TensorProto holds, in raw_data or in the field of its type. kCorrupt when the data does
/// not fill the shape exactly; no memory is asked for before that is known.
Result<Tensor> tensor_from_proto(const onnx::TensorProto& proto);

/// `tensor` under `name`, as raw_data.
void tensor_to_proto(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

}  // namespace zeropoint::toolchain
