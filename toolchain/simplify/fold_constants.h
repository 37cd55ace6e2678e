#pragma once

#include <cstddef>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

struct FoldOptions {
  /// Per value: true for a constant that may still change, such as a parameter being trained. Empty: none.
  std::vector<bool> variable;
  /// Keep DequantizeLinear nodes of constants: they are the quantized form of weights.
  bool keep_dequantized = true;
  /// Bytes beyond which a result is not worth keeping, or not to be asked for on a file's word.
  std::size_t largest_result = std::size_t{1} << 28;
  /// The same for all results together.
  std::size_t largest_sum = std::size_t{1} << 31;
};

/// Before: nodes whose inputs are all constants, and integer tensors whose elements shape inference knows.
/// After:  their outputs are constants; the nodes are gone.
/// A node that fails to compute stays, and says so when the graph runs. Values that nothing reads any more
/// stay in the graph. Infers shapes on the way.
Status fold_constants(Graph& graph, const FoldOptions& options = {});

}  // namespace zeropoint::toolchain
