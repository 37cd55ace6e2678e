#pragma once

#include <span>
#include <string>
#include <string_view>

#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::toolchain {

/// A change to the float network that makes it lose less when it is quantized. One of the two functions is
/// set; each says in a sentence what it did, or gives an empty text where it changed nothing.
struct Improvement {
  std::string_view name;  ///< as recipes call it
  std::string_view what;  ///< for people
  bool needs_samples;
  /// Before planning: another network that computes the same reals. Ranges are taken anew after it.
  Result<std::string> (*before)(Graph& graph, const Evidence& evidence);
  /// After planning: other constants, so that plain quantization by the plan gives the improved integers.
  Result<std::string> (*after)(Graph& graph, QuantPlan& plan, const Evidence& evidence);
  /// Scales and biases are all that it changes: a plan holds what it did, and applies without it.
  bool is_in_plan = false;
};

/// All there are, in the order in which they are made.
std::span<const Improvement> improvements();

/// Those of `names`, in the order in which they are made. kInvalidArgument for a name that none has, with the
/// nearest.
Result<std::vector<const Improvement*>> improvements_of(const std::vector<std::string>& names);

}  // namespace zeropoint::toolchain
