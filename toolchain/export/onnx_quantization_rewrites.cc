// QuantizeLinear and DequantizeLinear before blocks and channels; what ONNX Runtime had before ONNX had it.

#include "export/onnx_rewrites.h"

namespace zeropoint::toolchain::rewrites {

Status quantization_without_blocks(OnnxNode& node, Graph& graph) {
  Op op = *find_op(node.op);
  ElementType type =
      node.op == "QuantizeLinear" ? graph.value(node.outputs[0]).type : graph.value(node.inputs[0]).type;
  if (int_attribute(op, node.attributes, "block_size") != 0) {
    return Status::unsupported("a scale per block");
  }
  auto declared = int_attribute(op, node.attributes, "output_dtype");
  bool implied = node.op == "DequantizeLinear" || node.inputs.size() > 2 || type == ElementType::kUint8;
  if (declared != 0 && !implied) {
    return Status::unsupported("a quantized type without a zero point");
  }
  if (node.op == "QuantizeLinear") {
    node.attributes.erase("output_dtype");
  }
  if (type == ElementType::kInt16 || type == ElementType::kUint16) {
    node.domain = "com.microsoft";
    for (const char* later : {"block_size", "saturate"}) {
      node.attributes.erase(later);
    }
  }
  return {};
}

Status quantization_per_tensor(OnnxNode& node, Graph& graph) {
  ZP_RETURN_IF_ERROR(quantization_without_blocks(node, graph));
  if (!node.domain.empty()) {
    return {};
  }
  const std::optional<Dims>& scale = graph.value(node.inputs[1]).dims;
  if (!scale || (!scale->empty() && *scale != Dims{Dim(1)})) {
    return Status::unsupported("a scale per channel");
  }
  node.attributes.erase("axis");
  return {};
}

}  // namespace zeropoint::toolchain::rewrites
