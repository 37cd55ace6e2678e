#pragma once

#include <utility>
#include <vector>

#include "zeropoint/toolchain/graph.h"
#include "zeropoint/window.h"

namespace zeropoint::toolchain {

/// The window of a Conv or pool `node` over an input of dims `input`; see zeropoint/window.h.
inline Result<WindowGeometry> window_geometry(const Node& node, const Dims& input,
                                              std::vector<std::int64_t> kernel) {
  return zeropoint::window_geometry(node.op, node.attributes, shape_of(input, -1), std::move(kernel));
}

}  // namespace zeropoint::toolchain
