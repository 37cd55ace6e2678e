#pragma once

// What lower() reads from the constants of one Conv, ConvTranspose, Gemm or MatMul.

#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/operations.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Weights and bias of one layer as integers.
struct LayerConstants {
  Tensor weights;     ///< steps, output channels first, as LinearLayer's; ConvTranspose: mirrored
  float input_scale;  ///< S_in, times |alpha| of a Gemm
  std::vector<float> weight_scales;       ///< per output channel, or one
  std::vector<std::int64_t> folded_bias;  ///< per output channel
  std::vector<float> accumulator_scales;  ///< input_scale * S_w per output channel, or one
};

/// Reads the DequantizeLinear'd weights and the bias of `node` and folds the input's zero point into the
/// bias. A bias that is no int32 at the scale of the accumulator is rounded to that. `producers` is
/// producers(graph). kUnsupported says why the node is no integer layer.
Result<LayerConstants> read_layer(const Graph& graph, const Node& node,
                                  const std::vector<std::int32_t>& producers, QuantParams input);

/// The multipliers of a layer.
Result<Requantization> requantization_of(const LayerConstants& constants, const Quantization& output,
                                         RequantizeMode mode);

/// The window of a Conv or ConvTranspose with kernel extents `kernel`. kUnsupported where its padding depends
/// on extents that are not known.
Result<Window> window_of(const Graph& graph, const Node& node, const std::vector<std::int64_t>& kernel);

}  // namespace zeropoint::toolchain
