#pragma once

#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Per value, whether one of the nodes, or the graph's outputs, reads it.
std::vector<bool> read_values(const Graph& graph, const auto& nodes) {
  std::vector<bool> read(graph.values.size(), false);
  for (const auto& node : nodes) {
    for (ValueId input : node.inputs) {
      if (input != kNoValue) {
        read[static_cast<std::size_t>(input)] = true;
      }
    }
  }
  for (ValueId output : graph.outputs) {
    read[static_cast<std::size_t>(output)] = true;
  }
  return read;
}

/// Before: constants, or values that no node makes, that nothing reads.
/// After:  they are gone; the other values keep their order. Ids change.
void remove_unread_values(Graph& graph);

}  // namespace zeropoint::toolchain
