#pragma once

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The graph with its operators on integers written as DequantizeLinear, the operator on reals,
/// QuantizeLinear: QLinearConv, QLinearMatMul, and of com.microsoft QGemm, QLinearAdd, QLinearMul,
/// QLinearAveragePool, QLinearGlobalAveragePool, QLinearConcat, QLinearSigmoid, QLinearLeakyRelu,
/// QLinearSoftmax, MatMulNBits; operators that move the elements of quantized tensors (MaxPool, Reshape,
/// Transpose, ...) come between the same pair. Integers, scales, zero points, types and axes are those of the
/// graph, bit for bit; an int32 bias gets the scale S_in * S_w that its operator gives it. Tensors keep their
/// names; what a pair adds is named after the quantized tensor: "x_quantized" is dequantized to
/// "x_dequantized". Nodes that QDQ cannot say (scales that are computed, ConvInteger, MatMulInteger,
/// channels_last) stay as they are. Infers shapes; errors are those of infer_shapes().
Result<Graph> to_qdq(const Graph& graph);

/// The inverse, for engines that want it: pairs around an operator become the operator on integers where ONNX
/// or ONNX Runtime has one that computes the same, and all else stays in QDQ form. A Relu or Clip before a
/// QuantizeLinear is left out where the range of the integers says the same. An operator on integers needs:
/// 8-bit activations of one type with a scale per tensor; weights of 8 bits with a scale per tensor or output
/// channel; a bias of int32 with the scale S_in * S_w. Products of reals by 4- or 8-bit weights in blocks
/// become MatMulNBits. Infers shapes.
Result<Graph> to_qoperator(const Graph& graph);

}  // namespace zeropoint::toolchain
