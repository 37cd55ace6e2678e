#pragma once

#include <cstddef>
#include <vector>

#include "zeropoint/program.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// A program, and what of the graph did not become integer arithmetic in it.
struct Lowering {
  Program program;
  std::vector<FloatNode> floats;  ///< computed in floating point, in the program's order
  std::size_t integer_nodes =
      0;  ///< nodes that carry reals, QuantizeLinear and DequantizeLinear aside, in integers
};

/// Turns a graph in QDQ form, or one that to_qdq() brings there, into a program. What stands between
/// DequantizeLinear and QuantizeLinear becomes an integer operation:
///
///     Conv, ConvTranspose, Gemm, MatMul with quantized constants      ConvOp, FullyConnectedOp
///     MatMul of two quantized tensors                                 MatMulOp
///     AveragePool, GlobalAveragePool, ReduceMean, ReduceSum           AveragePoolOp, ReduceOp
///     Softmax, LogSoftmax                                             SoftmaxOp
///     LayerNormalization, RMSNormalization, Instance-, Group-         NormalizeOp
///     functions of one element of one tensor, however many nodes      TableOp
///     Add of two tensors                                              AddOp
///     other arithmetic between tensors, or behind an accumulator      ArithmeticOp
///     what moves elements, on integers of one scale and zero point    EvaluateOp
///
/// Relu and Clip before a QuantizeLinear narrow the clamp of what is before them, which is exact because
/// quantization is monotone, and a QuantizeLinear behind what moves elements is done before it. A layer whose
/// result is not quantized ends in its accumulator, dequantized. Every other node runs as it stands, on
/// float32 where it carries reals, and is then listed with the reason. A bias that is no int32 at input scale
/// times weight scale is rounded to that. `mode` says how layers requantize; the other operations have one
/// definition.
///
/// Fails for graphs that verify() or infer_shapes() refuse.
Result<Lowering> lower(const Graph& graph, RequantizeMode mode);

}  // namespace zeropoint::toolchain
