#pragma once

#include <cstdint>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// What one run of a node computes.
struct NodeCost {
  std::int64_t multiply_adds = 0;
  std::int64_t flops = 0;
};

/// Counts for the shapes that the graph's values have; nothing where they are unknown. kUnsupported where a
/// count leaves 63 bits: to declare hostile shapes needs no memory.
///
/// Products (convolutions, matrix products, Einsum, recurrent layers) count 2 operations per multiply-add.
/// Otherwise, per element of the output: 1 for arithmetic and functions of one element; window - 1 for a
/// maximum, window for an average; per element of the input: 1 for a reduction, 4 for Softmax (subtract,
/// exponential, sum, divide), 2 for BatchNormalization, 7 for normalizations that compute a mean and a
/// variance (mean, subtract, square, sum, scale, two for the affine part), 4 for RMSNormalization, 2 per
/// neighbour and 3 more for LRN. What only moves or converts counts nothing.
Result<NodeCost> cost_of(const Graph& graph, const Node& node);

}  // namespace zeropoint::toolchain
