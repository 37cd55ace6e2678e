#include "graph/attention_mask.h"

#include <algorithm>
#include <utility>

namespace zeropoint::toolchain {
namespace {

constexpr float kVeryNegative = -1e4F;

bool changes_shape_alone(Op op) {
  switch (op) {
    case Op::kFlatten:
    case Op::kIdentity:
    case Op::kReshape:
    case Op::kSqueeze:
    case Op::kTranspose:
    case Op::kUnsqueeze:
    case Op::kExpand:
      return true;
    default:
      return false;
  }
}

/// `id` and the forms of it that nodes which change shapes alone make; none where others than those and
/// Softmax read one.
std::vector<ValueId> forms_before_softmax(const Graph& graph, ValueId id,
                                          const std::vector<std::vector<std::int32_t>>& consumers) {
  std::vector<ValueId> forms{id};
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const std::vector<std::int32_t>& readers = consumers[static_cast<std::size_t>(forms[i])];
    bool given = std::find(graph.outputs.begin(), graph.outputs.end(), forms[i]) != graph.outputs.end();
    if (given || readers.empty()) {
      return {};
    }
    for (std::int32_t reader : readers) {
      const Node& node = graph.nodes[static_cast<std::size_t>(reader)];
      if (changes_shape_alone(node.op)) {
        forms.push_back(node.outputs[0]);
      } else if (node.op != Op::kSoftmax) {
        return {};
      }
    }
  }
  return forms;
}

/// What a constant does as the mask of `scores`; none where it shuts nothing out, or, taking their place, may
/// be a score itself.
std::optional<AttentionMask> mask_by(const Graph& graph, ValueId mask, ValueId scores, bool is_added) {
  const Tensor* constant = graph.value(mask).constant.get();
  if (constant == nullptr || constant->type() != ElementType::kFloat32 ||
      graph.value(scores).constant != nullptr) {
    return std::nullopt;
  }
  AttentionMask found{scores, is_added, RealRange(), {mask}, {}};
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

bool is_very_negative(const Tensor* constant) {
  return constant != nullptr && constant->type() == ElementType::kFloat32 && constant->size() > 0 &&
         std::ranges::all_of(constant->data<float>(), [](float element) { return element <= kVeryNegative; });
}

/// What a computed value does as the mask that is added to `scores`; none where it does not look like one.
std::optional<AttentionMask> computed_mask(const Graph& graph, ValueId mask, ValueId scores) {
  auto maker_of = [&](ValueId id) -> const Node* {
    auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                              [&](const Node& node) { return node.outputs[0] == id; });
    return found == graph.nodes.end() ? nullptr : &*found;
  };
  AttentionMask found{scores, true, RealRange{0, 0}, {mask}, {}};
  const Node* maker = maker_of(mask);
  while (maker != nullptr && changes_shape_alone(maker->op)) {
    found.mask.push_back(maker->inputs[0]);
    maker = maker_of(maker->inputs[0]);
  }
  if (maker == nullptr || (maker->op != Op::kMul && maker->op != Op::kWhere)) {
    return std::nullopt;
  }
  bool chooses = maker->op == Op::kWhere;
  for (std::size_t input = chooses ? 1 : 0; input < maker->inputs.size(); ++input) {
    if (is_very_negative(graph.constant(*maker, input))) {
      if (chooses) {
        found.mask.push_back(maker->inputs[input]);
      }
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<AttentionMask> attention_mask(const Graph& graph, const Node& node,
                                            const std::vector<std::vector<std::int32_t>>& consumers) {
  bool is_added = node.op == Op::kAdd;
  if (!is_added && node.op != Op::kWhere) {
    return std::nullopt;
  }
  std::vector<ValueId> masked = forms_before_softmax(graph, node.outputs[0], consumers);
  if (masked.empty()) {
    return std::nullopt;
  }
  ValueId a = node.inputs[is_added ? 0 : 1];
  ValueId b = node.inputs[is_added ? 1 : 2];
  for (auto [mask, scores] : {std::pair(a, b), std::pair(b, a)}) {
    std::optional<AttentionMask> found = mask_by(graph, mask, scores, is_added);
    if (!found && is_added) {
      found = computed_mask(graph, mask, scores);
    }
    if (found) {
      found->masked = std::move(masked);
      return found;
    }
  }
  return std::nullopt;
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
