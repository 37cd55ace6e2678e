#pragma once

#include <functional>
#include <map>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// How the constants of the layers in `layers` are quantized, by their value: weights symmetrically, each
/// bias at input scale times weight scale. `input_scale` gives the scale of what a layer reads. Weights that
/// several layers share get scales that hold the biases of all; a bias that two layers share at different
/// scales is kUnsupported.
Result<std::map<ValueId, Decision>> plan_weights(const Graph& graph, const std::vector<const Node*>& layers,
                                                 const Recipe& recipe,
                                                 const std::function<float(const Node&)>& input_scale);

}  // namespace zeropoint::toolchain
