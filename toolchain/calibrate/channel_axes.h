#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// For each value, the axis along which its channels lie, from 0, or -1 where there is none: as a layer that
/// reads it sees them (axis 1 for windows, the axis that is summed over for products of matrices), directly
/// or through elementwise operators; else as its producer makes them. The graph's shapes must be inferred.
std::vector<std::int64_t> channel_axes(const Graph& graph);

}  // namespace zeropoint::toolchain
