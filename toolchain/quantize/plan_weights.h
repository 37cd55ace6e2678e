#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// What a layer in integers reads.
struct LayerInput {
  QuantParams params;
  QuantizedType type;
};

/// How the constants of the layers in `layers` are quantized, by their value: weights symmetrically, each
/// bias at input scale times weight scale. `input` says what a layer reads. Weights that several layers share
/// get scales that hold the biases of all; a bias that two layers share at different scales is kUnsupported.
Result<std::map<ValueId, Decision>> plan_weights(const Graph& graph, const std::vector<const Node*>& layers,
                                                 const Recipe& recipe,
                                                 const std::function<LayerInput(const Node&)>& input);

/// "one scale per output channel, 0.0017 to 0.0057": the scales of weights, for people.
std::string scales_text(const TensorParams& params);

}  // namespace zeropoint::toolchain
