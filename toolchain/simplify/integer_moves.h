#pragma once

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Whether a node gives integers of its first input, rearranged or selected by what its other inputs say.
bool moves_integers(const Node& node);

/// The real that one integer stands for, float32[]. No integer, or no zero point, is 0.
Tensor real_of_one(const Tensor* integer, const Tensor& scale, const Tensor* zero_point);

}  // namespace zeropoint::toolchain
