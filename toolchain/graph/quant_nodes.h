#pragma once

#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// What a QuantizeLinear or DequantizeLinear node says, read from its constants.
struct QuantNode {
  TensorParams params;
  ElementType storage;  ///< the quantized side's element type
};

/// kUnsupported when scale or zero point are not constants; kInvalidArgument when a scale is not a positive
/// normal number. Call after infer_shapes().
Result<QuantNode> read_quant_node(const Graph& graph, const Node& node);

/// Whether it stands for real numbers: float16, bfloat16, float32, float64.
inline bool is_real(ElementType type) { return !is_integer(type) && type != ElementType::kBool; }

/// Whether a node reads or makes reals.
bool carries_reals(const Graph& graph, const Node& node);

}  // namespace zeropoint::toolchain
