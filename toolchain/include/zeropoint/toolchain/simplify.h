#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A pass of simplify(), and how often it changed something.
struct Simplification {
  std::string_view pass;
  std::size_t changes = 0;
};

/// Brings a float graph to a form that computes the same reals with fewer and larger operators: constants
/// folded, nodes without effect and pairs that cancel gone, BatchNormalization and factors and addends per
/// channel inside of the layer before them, padding inside of the convolution behind it, and the
/// normalizations and activations that are spelled out as one operator each. Names of inputs, outputs and the
/// tensors that remain are kept; ids change. The graph is verified, and its shapes inferred, after every
/// pass. What a graph in QDQ form says stays as it is. Returns the passes that changed something, in order.
Result<std::vector<Simplification>> simplify(Graph& graph);

/// The part of it that makes one operator of a normalization or activation that is spelled out. Quantized
/// graphs may have them so too, between DequantizeLinear and QuantizeLinear.
Status fuse_spelled_out(Graph& graph);

/// Makes a graph of float16 or bfloat16 one of float32: its inputs, constants and Casts. True where there was
/// something to change. Results are those of the halves, but for roundings between nodes that are left out.
Result<bool> widen_halves(Graph& graph);

}  // namespace zeropoint::toolchain
