#pragma once

#include <vector>

#include "quantize/node_role.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Where integers flow through a float graph once it is quantized.
struct IntegerFlow {
  std::vector<NodeRole> roles;  ///< per node
  std::vector<bool> absorbed;   ///< per node: an activation that is part of the node before it
  std::vector<bool> quantized;  ///< per value: it gets a scale and a zero point for the whole tensor
  std::vector<ValueId> group;   ///< per value: one of those that must have the same scale and zero point
};

/// Layers, computations and tables give rounded results; what only moves elements is in integers where the
/// tensor before or behind it is. With Recipe::Output::kAccumulator the last scores are not rounded: layers
/// whose result leaves the graph, or is read in float alone, give their accumulators, and what merely shapes
/// scores into the graph's output (Softmax, an average, a Reshape) stays in float. So does what the recipe
/// keeps in float, or whose activations it does not want static.
IntegerFlow integer_flow(const Graph& graph, const Recipe& recipe);

}  // namespace zeropoint::toolchain
