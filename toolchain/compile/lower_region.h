#pragma once

#include <functional>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// The elementwise nodes that lead to a value, and where they begin.
struct Region {
  std::vector<std::int32_t> nodes;  ///< in the graph's order
  std::vector<ValueId> known;       ///< values that are quantized already
  std::vector<ValueId> constants;   ///< operands that are constant, or dequantized constants
  std::vector<ValueId> others;      ///< what other nodes make, as reals

  /// Whether everything depends on the elements of one quantized tensor.
  [[nodiscard]] bool is_function_of_one() const { return known.size() == 1 && others.empty(); }
};

/// The region behind `id`; `made_by` is producers(graph), `is_quantized` says where the region ends. Regions
/// of more than 256 nodes give `id` itself as what another node makes.
Region region_behind(const Graph& graph, const std::vector<std::int32_t>& made_by, ValueId id,
                     const std::function<bool(ValueId)>& is_quantized);

/// Whether each output element of the node depends on one element of each input, at the same place but for
/// broadcasting.
bool is_elementwise(const Graph& graph, const Node& node);

/// Whether the operator's plain evaluation takes nothing but IEEE operations in a fixed order, so that it
/// gives the same bits everywhere.
bool is_ieee_arithmetic(Op op);

}  // namespace zeropoint::toolchain
