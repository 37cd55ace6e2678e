#include "graph/attention_mask.h"

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

constexpr float kVeryNegative = -1e4F;

bool only_softmax_reads(const Graph& graph, ValueId id,
                        const std::vector<std::vector<std::int32_t>>& consumers) {
  const std::vector<std::int32_t>& readers = consumers[static_cast<std::size_t>(id)];
  bool given = std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
  return !given && !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](std::int32_t reader) {
    return graph.nodes[static_cast<std::size_t>(reader)].op == Op::kSoftmax;
  });
}

/// What a constant does as the mask of `scores`; none where it shuts nothing out, or, taking their place, may
/// be a score itself.
std::optional<AttentionMask> mask_by(const Graph& graph, ValueId mask, ValueId scores, bool is_added) {
  const Tensor* constant = graph.value(mask).constant.get();
  if (constant == nullptr || constant->type() != ElementType::kFloat32 ||
      graph.value(scores).constant != nullptr) {
    return std::nullopt;
  }
  AttentionMask found{scores, mask, is_added, RealRange()};
  bool shuts_out = false;
  for (float element : constant->data<float>()) {
    shuts_out = shuts_out || element <= kVeryNegative;
    if (element > kVeryNegative) {
      found.kept = {std::min(found.kept.r_min, element), std::max(found.kept.r_max, element)};
    }
  }
  bool keeps = found.kept.r_min <= found.kept.r_max;
  found.kept = keeps ? found.kept : RealRange{0, 0};
  return shuts_out && (is_added || !keeps) ? std::optional(found) : std::nullopt;
}

}  // namespace

std::optional<AttentionMask> attention_mask(const Graph& graph, const Node& node,
                                            const std::vector<std::vector<std::int32_t>>& consumers) {
  bool is_added = node.op == Op::kAdd;
  if ((!is_added && node.op != Op::kWhere) || !only_softmax_reads(graph, node.outputs[0], consumers)) {
    return std::nullopt;
  }
  ValueId a = node.inputs[is_added ? 0 : 1];
  ValueId b = node.inputs[is_added ? 1 : 2];
  std::optional<AttentionMask> found = mask_by(graph, a, b, is_added);
  return found ? found : mask_by(graph, b, a, is_added);
}

RealRange masked_range(const AttentionMask& mask, RealRange scores) {
  return {scores.r_min + mask.kept.r_min - kShutOut, scores.r_max + mask.kept.r_max};
}

RealRange mask_range(const AttentionMask& mask, RealRange scores) {
  if (!mask.is_added) {
    return {scores.r_min - kShutOut, scores.r_min - kShutOut};
  }
  return {mask.kept.r_min - (scores.r_max - scores.r_min) - kShutOut, mask.kept.r_max};
}

}  // namespace zeropoint::toolchain
