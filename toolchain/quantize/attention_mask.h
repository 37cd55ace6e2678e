#pragma once

#include <optional>

#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// An Add of scores and a constant mask in front of a Softmax. Where the mask holds a very negative number
/// (-1e4 or less), whatever the scores are comes out as 0, and how negative it is does not matter; as a range
/// it would leave no steps for the scores.
struct AttentionMask {
  ValueId scores;
  ValueId mask;
  RealRange kept;  ///< of the mask's elements that shut nothing out; {0, 0} where there are none
};

/// None unless only Softmax nodes read the sum.
std::optional<AttentionMask> attention_mask(const Graph& graph, const Node& add,
                                            const std::vector<std::vector<std::int32_t>>& consumers);

/// exp(-8) is below half a step of a probability of 8 bits.
inline constexpr float kShutOut = 8;

/// The range of the sum whose scores lie in `scores`: what is shut out is clamped to kShutOut below all that
/// is not.
RealRange masked_range(const AttentionMask& mask, RealRange scores);
/// The range of the mask itself: clamped there, it still brings every score below all others by kShutOut.
RealRange mask_range(const AttentionMask& mask, RealRange scores);

}  // namespace zeropoint::toolchain
