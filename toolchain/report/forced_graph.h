#pragma once

#include <vector>

#include "report/quantized_points.h"

namespace zeropoint::toolchain {

/// A quantized network cut at its points, so that each layer runs alone: what reads a point reads an input of
/// the graph instead, to be given what the float network computes there.
struct ForcedGraph {
  Graph graph;  ///< ids of values are those of the quantized network
  /// The points that the inputs behind the network's own ones stand for, in order.
  std::vector<std::size_t> forced;
};

ForcedGraph forced_graph(const Graph& quantized, const std::vector<QuantizedPoint>& points);

}  // namespace zeropoint::toolchain
