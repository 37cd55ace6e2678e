#pragma once

#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Whether `plan`, which people may have edited, can be applied to `graph`, which verify() accepts: each
/// decision once, for a tensor that there is, with as many usable scales and zero points as it needs. After
/// it apply_plan() cannot write outside of a tensor or make a model that says something else than the plan.
/// Messages name the tensor.
Status check_plan(const Graph& graph, const QuantPlan& plan);

}  // namespace zeropoint::toolchain
