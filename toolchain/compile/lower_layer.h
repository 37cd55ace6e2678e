#pragma once

// What lower() reads from the constants of one Conv or Gemm.

#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/program.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Weights and bias of one layer as integers.
struct LayerConstants {
  Tensor weights;                         ///< int8, output channels first; Gemm: [M, K]
  std::vector<float> weight_scales;       ///< per output channel, or one
  std::vector<std::int32_t> folded_bias;  ///< per output channel
  std::vector<float> accumulator_scales;  ///< S_in * S_w per output channel, or one
};

/// Reads the DequantizeLinear'd weights and bias of `node` and folds the input's zero point into the bias.
/// `producers` is producers(graph).
Result<LayerConstants> read_layer(const Graph& graph, const Node& node,
                                  const std::vector<std::int32_t>& producers, QuantParams input,
                                  QuantizedRange input_range);

/// The multipliers of a layer.
Result<Requantization> requantization_of(const Node& node, const LayerConstants& constants, float s_in,
                                         QuantParams output, QuantizedRange clamp, RequantizeMode mode);

/// The window of a Conv (with its kernel extents) or MaxPool (kernel empty).
Result<Window2d> window_of(const Graph& graph, const Node& node, std::vector<std::int64_t> kernel);

}  // namespace zeropoint::toolchain
