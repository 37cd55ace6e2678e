#pragma once

#include "zeropoint/program.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Turns a graph in QDQ form into an integer program. Each of
///
///     DequantizeLinear -> Conv | Gemm [-> Relu | Clip]... -> QuantizeLinear
///     DequantizeLinear -> MaxPool | Flatten               -> QuantizeLinear with the same parameters
///
/// becomes one operation, weights and biases being constants behind DequantizeLinear; the activations narrow
/// the clamp of the requantization, which is exact because quantization is monotone. A Conv or Gemm whose
/// result is an output of the graph, with nothing behind it, ends in its int32 accumulator, dequantized at
/// the border.
///
/// kUnsupported names a node that would have to stay in float, and why; kInvalidArgument a channel whose
/// accumulator could leave int32.
Result<Program> lower(const Graph& graph, RequantizeMode mode);

}  // namespace zeropoint::toolchain
