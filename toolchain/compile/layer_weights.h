#pragma once

#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The weights of a layer as steps q_w - Z_w in the order a LinearLayer wants, and their scales.
struct LayerWeights {
  Tensor steps;               ///< [M, K...]: int8, or wider where a step needs it
  std::vector<float> scales;  ///< per output channel, or one
};

/// From the integers and parameters of a Conv's [M, C / group, kernel...], a ConvTranspose's [C, M / group,
/// kernel...], a Gemm's [K, M] or [M, K] (transB) or a MatMul's [K, M]. A Gemm's negative alpha turns the
/// steps' signs. kUnsupported where scales are neither one nor per output channel.
Result<LayerWeights> layer_weights(const Node& node, const Tensor& integers, const TensorParams& params);

}  // namespace zeropoint::toolchain
