#pragma once

// Layers whose activations are not static integers: weights alone are quantized, or the input by each run.

#include <map>
#include <vector>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Whether the node looks rows up in a constant table: Gather along axis 0 of a float32 matrix.
bool is_table(const Graph& graph, const Node& node);

/// How that table is quantized: with the bits of weights, at most 8; in groups along the rows where the
/// recipe has groups, else with one scale per row.
Result<Decision> plan_table(const Graph& graph, const Node& node, const Recipe& recipe);

struct FloatLayers {
  std::map<ValueId, Decision> weights;
  std::vector<Decision> inputs;  ///< those that each run quantizes; one per tensor, naming its readers
};

/// The decisions for those of `nodes` that the recipe wants with dynamic activations or none: weights
/// symmetric, in groups along what is summed, per channel or per tensor; groups of up to 4 bits with zero
/// points. Convolutions whose kernel has an
/// extent, and everything but matrix products by constants under dynamic activations, take no groups.
/// kInvalidArgument for weights that are not finite.
Result<FloatLayers> plan_float_layers(const Graph& graph, const std::vector<const Node*>& nodes,
                                      const Recipe& recipe);

}  // namespace zeropoint::toolchain
