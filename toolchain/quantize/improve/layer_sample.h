#pragma once

#include <cstdint>
#include <vector>

#include "quantize/improve/layer_walk.h"
#include "quantize/improve/matrix.h"

namespace zeropoint::toolchain {

/// Rows that the weights of `layer`, of the float graph `floats`, are multiplied with (see LayerRows), of all
/// samples together: per group [rows, columns]. Taken from `input` in `graph`, which is the float graph or
/// its quantized form and which `walk` has not gone beyond. Where there are more than are worth keeping they
/// are drawn by `seed`; equal shapes and seed give the same rows, so that those of both graphs belong
/// together.
Result<std::vector<MatrixF>> sample_layer(const Graph& floats, const Node& layer, const Graph& graph,
                                          ValueId input, LayerWalk& walk, std::uint64_t seed);

/// a' b / rows, its sums in double over blocks of rows; the same bits for any size of the team.
Result<MatrixD> moments(const MatrixF& a, const MatrixF& b, Team& team);

}  // namespace zeropoint::toolchain
