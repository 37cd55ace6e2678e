#pragma once

#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The graph in the DOT language of Graphviz: a box per node with its operator, name and constants, an edge
/// per tensor with its type and dims. Nodes on integers are filled, and QuantizeLinear and DequantizeLinear
/// small. Shapes must be inferred.
std::string to_dot(const Graph& graph);

/// The same laid out and drawn, as SVG. kResourceExhausted for graphs of more than 20,000 nodes, whose layout
/// would take hours.
Result<std::string> to_svg(const Graph& graph);

}  // namespace zeropoint::toolchain
