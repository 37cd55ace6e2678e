#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/quant_nodes.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A tensor that two networks have in common: where the quantized one rounds it, or gives it unrounded.
struct QuantizedPoint {
  ValueId reference = kNoValue;  ///< in the float network
  ValueId real = kNoValue;       ///< in the quantized network: before it is rounded
  std::vector<ValueId> results;  ///< the dequantized tensors that are read instead; empty: not rounded
  std::optional<QuantNode> quantization;
  QuantizedRange range;  ///< the integers that may come out: fewer than those of the storage at fewer bits
  const Node* maker =
      nullptr;              ///< in the quantized network: the product before the activations; none for inputs
  bool only_moves = false;  ///< the integers of other points, moved
  std::size_t group = 0;    ///< the first of the points whose integers move into one another: one scale
  bool is_masked = false;   ///< attention scores, of which a mask shuts some out

  /// What readers see.
  [[nodiscard]] ValueId seen() const { return results.empty() ? real : results.front(); }
};

struct QuantizedPoints {
  std::vector<QuantizedPoint> points;  ///< in the order of the quantized network
  std::vector<std::string> unmatched;  ///< tensors that are rounded and that the float network does not have
};

/// Pairs what the quantized network rounds, the results of its layers and its outputs with tensors of the
/// float network. Both graphs have their shapes inferred and outlive the points.
QuantizedPoints find_points(const Graph& reference, const Graph& quantized);

/// A Conv, ConvTranspose, Gemm or MatMul behind `value`, activations and constant arithmetic between; nullptr
/// where there is none. Does not look through QuantizeLinear and DequantizeLinear.
const Node* product_behind(const Graph& graph, const std::vector<std::int32_t>& makers, ValueId value);

}  // namespace zeropoint::toolchain
