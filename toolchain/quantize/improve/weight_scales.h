#pragma once

#include <span>
#include <vector>

#include "quantize/improve/layer_note.h"
#include "zeropoint/affine.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// The scale s, with zero point 0, at which sum (w - s clamp(round(w / s)))^2 is least. As s falls from
/// 2 max|w| the integers of the weights change one at a time, at |w| / (k + 1/2); between two such places
/// they are fixed, and the best scale is sum w q / sum q^2 or an end. All places are visited where there are
/// not too many, which gives the minimum over all scales; else those between the neighbours of the best of
/// 128 evenly spaced scales. `weights` are finite, `range` holds 0 and 1; all zeros give the smallest scale.
float least_squares_scale(std::span<const float> weights, QuantizedRange range);

/// Before: weight scales of the plan that just cover the weights' ranges.
/// After:  those of least_squares_scale(), for weights without a zero point, where the bias leaves room; the
///         scales of biases follow.
Result<std::vector<LayerNote>> fit_weight_scales(const Graph& graph, QuantPlan& plan);

}  // namespace zeropoint::toolchain
