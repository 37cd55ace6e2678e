#include "quantize/attention_mask.h"

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

}  // namespace

std::optional<AttentionMask> attention_mask(const Graph& graph, const Node& add,
                                            const std::vector<std::vector<std::int32_t>>& consumers) {
  if (add.op != Op::kAdd || !only_softmax_reads(graph, add.outputs[0], consumers)) {
    return std::nullopt;
  }
  for (std::size_t i : {0U, 1U}) {
    const Tensor* constant = graph.constant(add, i);
    if (constant == nullptr || constant->type() != ElementType::kFloat32 ||
        graph.constant(add, 1 - i) != nullptr) {
      continue;
    }
    AttentionMask found{add.inputs[1 - i], add.inputs[i], RealRange()};
    bool shuts_out = false;
    for (float element : constant->data<float>()) {
      shuts_out = shuts_out || element <= kVeryNegative;
      if (element > kVeryNegative) {
        found.kept = {std::min(found.kept.r_min, element), std::max(found.kept.r_max, element)};
      }
    }
    if (found.kept.r_min > found.kept.r_max) {
      found.kept = {0, 0};
    }
    return shuts_out ? std::optional(found) : std::nullopt;
  }
  return std::nullopt;
}

RealRange masked_range(const AttentionMask& mask, RealRange scores) {
  return {scores.r_min + mask.kept.r_min - kShutOut, scores.r_max + mask.kept.r_max};
}

RealRange mask_range(const AttentionMask& mask, RealRange scores) {
  return {mask.kept.r_min - (scores.r_max - scores.r_min) - kShutOut, mask.kept.r_max};
}

}  // namespace zeropoint::toolchain
