#pragma once

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::cli {

/// Puts the plan that made `graph` into its metadata, which an ONNX file keeps.
void attach_plan(toolchain::Graph& graph, const toolchain::QuantPlan& plan);

/// The plan in the metadata of `graph`. kNotFound when there is none.
Result<toolchain::QuantPlan> plan_of(const toolchain::Graph& graph);

}  // namespace zeropoint::cli
