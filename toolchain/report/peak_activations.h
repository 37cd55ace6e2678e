#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The most elements of activations alive at once when nodes run in order and each tensor is dropped after
/// its last reader. A conversion gives another form of the same tensor, which counts once; tensors of unknown
/// shape do not count. The elements of all tensors together must fit 63 bits.
std::int64_t peak_activations(const Graph& graph, const std::vector<bool>& is_conversion);

}  // namespace zeropoint::toolchain
