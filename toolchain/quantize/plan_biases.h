#pragma once

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Writes into `plan` the biases of layers that improvements changed, or added, on the way from `before` to
/// `after`: so the plan can be applied to the one as to the other.
void note_biases(const Graph& before, const Graph& after, QuantPlan& plan);

/// The plan without the biases that improvements changed or added.
QuantPlan without_biases(QuantPlan plan);

/// `graph` with the biases that the plan holds. kNotFound for one of a layer that there is not,
/// kInvalidArgument for as many values as the layer has no channels, or values that are not finite.
Result<Graph> with_biases(const Graph& graph, const QuantPlan& plan);

}  // namespace zeropoint::toolchain
