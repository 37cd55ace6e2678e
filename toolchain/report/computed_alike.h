#pragma once

#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// For each value of a quantized network, the value of the float network that is computed alike, whatever it
/// is called: from inputs on, the same operator reads what was found alike, QuantizeLinear, DequantizeLinear
/// and what either network has no node for (Relu, Clip, BatchNormalization, Identity) passed over. kNoValue
/// where nothing was found.
std::vector<ValueId> computed_alike(const Graph& reference, const Graph& quantized);

}  // namespace zeropoint::toolchain
