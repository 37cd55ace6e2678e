#pragma once

#include <map>
#include <vector>

#include "graph/attention_mask.h"
#include "quantize/integer_flow.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// The range of reals that the integers of each value are to represent: what calibration saw, what a constant
/// holds, what an operator cannot leave (Softmax), without what a mask puts there to shut scores out.
class ActivationRanges {
 public:
  ActivationRanges(const Graph& graph, const IntegerFlow& flow, const RangeTable& ranges);

  /// kNotFound when calibration has none for the value; kInvalidArgument for a constant that is not finite.
  [[nodiscard]] Result<RealRange> of(ValueId id) const;
  /// Whether a mask's part was left out of the value's range.
  [[nodiscard]] bool is_masked(ValueId id) const { return masks_.count(id) != 0; }

 private:
  [[nodiscard]] Result<RealRange> own(ValueId id) const;

  const Graph& graph_;
  const IntegerFlow& flow_;
  const RangeTable& ranges_;
  std::vector<std::int32_t> producers_;
  std::map<ValueId, std::vector<AttentionMask>>
      masks_;  // by the mask, which several may share, and by the sum
};

/// The node whose result `id` is, after the activations that are part of it; nullptr for inputs and
/// constants.
const Node* computer_of(const Graph& graph, const IntegerFlow& flow, const std::vector<std::int32_t>& made_by,
                        ValueId id);

}  // namespace zeropoint::toolchain
