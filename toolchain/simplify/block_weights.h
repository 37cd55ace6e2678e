#pragma once

#include <optional>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The weights of ONNX Runtime's MatMulNBits as DequantizeLinear has them: K x N integers, and scales and
/// zero points per block along K (ceil(K / block_size) x N).
struct BlockWeights {
  Tensor integers;  ///< uint4 or uint8
  Tensor scales;
  Tensor zero_points;
};

/// None where they are computed, of other than 4 or 8 bits, with float zero points or in a changed order
/// (g_idx).
std::optional<BlockWeights> block_weights(const Graph& graph, const Node& node);

}  // namespace zeropoint::toolchain
