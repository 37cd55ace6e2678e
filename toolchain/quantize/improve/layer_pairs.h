#pragma once

#include <optional>
#include <vector>

#include "quantize/improve/layer_note.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Two layers with nothing but functions of each channel for itself between them, so that a channel of the
/// first result is an input channel of the second.
struct LayerPair {
  std::size_t first;  ///< indices of nodes
  std::size_t second;
  std::vector<std::size_t> between;  ///< in order; positively homogeneous, f(s x) = s f(x) for s > 0, but for
  std::optional<std::size_t> clip;   ///< the one of `between` that clips to [0, limit]
  double limit = 0;
};

struct LayerPairs {
  std::vector<LayerPair> pairs;
  std::vector<LayerNote> refused;  ///< layers that are no first of a pair, with the reason
};

/// All pairs of Conv, ConvTranspose, Gemm and MatMul with constant weights that nothing else reads, between
/// them Relu, LeakyRelu, PRelu, Clip [0, limit] and pools, each result read once.
LayerPairs layer_pairs(const Graph& graph);

}  // namespace zeropoint::toolchain
