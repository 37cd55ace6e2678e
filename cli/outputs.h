#pragma once

#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::cli {

/// Leaves `graph` with the output `name` alone; empty stands for its only one. kInvalidArgument lists the
/// outputs.
Status select_output(toolchain::Graph& graph, const std::string& name);

/// True when the graph's first output is made by Softmax, possibly given another shape.
bool ends_in_softmax(const toolchain::Graph& graph);

}  // namespace zeropoint::cli
