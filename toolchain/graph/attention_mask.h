#pragma once

#include <optional>
#include <vector>

#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Scores in front of a Softmax of which a mask shuts some out: it is added to them (Add) and very negative
/// there, -1e4 or less, or takes their place (Where). Their probability comes out as 0, and how negative they
/// are does not matter; as a range it would leave no steps for the scores. The mask is a constant, or is
/// computed by each run: something times a constant of -1e4 or less, or a constant chosen by Where.
struct AttentionMask {
  ValueId scores;
  bool is_added;
  RealRange kept;  ///< of the mask's elements that shut nothing out; {0, 0} where there are none
  /// The values that hold the mask: what is added or takes the scores' place, what that is a reshaped form
  /// of, and the constant that a Where put there.
  std::vector<ValueId> mask;
  std::vector<ValueId> masked;  ///< the scores with the mask, and reshaped forms of them
};

/// None unless only Softmax nodes read what the node makes, behind nodes that change shapes alone.
std::optional<AttentionMask> attention_mask(const Graph& graph, const Node& node,
                                            const std::vector<std::vector<std::int32_t>>& consumers);

/// exp(-8) is below half a step of a probability of 8 bits.
inline constexpr float kShutOut = 8;

/// The range of the masked scores, where those themselves lie in `scores`: what is shut out is clamped to
/// kShutOut below all that is not.
RealRange masked_range(const AttentionMask& mask, RealRange scores);
/// The range of the mask itself: clamped there, it still brings every score below all others by kShutOut.
RealRange mask_range(const AttentionMask& mask, RealRange scores);

}  // namespace zeropoint::toolchain
