#pragma once

#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// For each node, whether it only gives a tensor another form: what a float graph has no node for.
/// QuantizeLinear, DequantizeLinear, and the Clip that apply_plan() puts before one for the sake of its bits.
std::vector<bool> conversions(const Graph& graph);

}  // namespace zeropoint::toolchain
