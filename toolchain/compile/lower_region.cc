#include "compile/lower_region.h"

#include <algorithm>
#include <set>

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kMostNodes = 256;

/// A constant, or a DequantizeLinear of constants.
bool is_constant(const Graph& graph, ValueId id, const Node* producer) {
  if (graph.value(id).constant != nullptr) {
    return true;
  }
  bool constant = producer != nullptr && producer->op == Op::kDequantizeLinear;
  for (std::size_t i = 0; constant && i < producer->inputs.size(); ++i) {
    constant = !producer->has_input(i) || graph.constant(*producer, i) != nullptr;
  }
  return constant;
}

}  // namespace

bool is_elementwise(const Graph& graph, const Node& node) {
  if (node.outputs[0] == kNoValue || graph.value(node.outputs[0]).type != ElementType::kFloat32) {
    return false;
  }
  switch (node.op) {
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kPow:
    case Op::kMin:
    case Op::kMax:
    case Op::kSum:
    case Op::kMean:
    case Op::kPRelu:
      return true;
    case Op::kBatchNormalization:
      return int_attribute(node, "training_mode") == 0 &&
             std::all_of(node.outputs.begin() + 1, node.outputs.end(),
                         [](ValueId id) { return id == kNoValue; });
    default:
      return info_of(node.op).integer_form == IntegerForm::kTable;
  }
}

bool is_ieee_arithmetic(Op op) {
  switch (op) {
    case Op::kAbs:
    case Op::kAdd:
    case Op::kBatchNormalization:
    case Op::kCeil:
    case Op::kClip:
    case Op::kDiv:
    case Op::kFloor:
    case Op::kHardSigmoid:
    case Op::kHardSwish:
    case Op::kLeakyRelu:
    case Op::kMax:
    case Op::kMean:
    case Op::kMin:
    case Op::kMul:
    case Op::kNeg:
    case Op::kPRelu:
    case Op::kReciprocal:
    case Op::kRelu:
    case Op::kResize:
    case Op::kRound:
    case Op::kShrink:
    case Op::kSign:
    case Op::kSqrt:
    case Op::kSub:
    case Op::kSum:
    case Op::kThresholdedRelu:
      return true;
    default:
      return false;
  }
}

Region region_behind(const Graph& graph, const std::vector<std::int32_t>& made_by, ValueId id,
                     const std::function<bool(ValueId)>& is_quantized) {
  Region region;
  std::set<ValueId> seen;
  std::vector<ValueId> open{id};
  std::set<std::int32_t> nodes;
  while (!open.empty() && nodes.size() <= kMostNodes) {
    ValueId value = open.back();
    open.pop_back();
    if (value == kNoValue || !seen.insert(value).second) {
      continue;
    }
    std::int32_t maker = made_by[static_cast<std::size_t>(value)];
    const Node* node = maker < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(maker)];
    if (is_constant(graph, value, node)) {
      region.constants.push_back(value);
    } else if (is_quantized(value)) {
      region.known.push_back(value);
    } else if (node != nullptr && is_elementwise(graph, *node)) {
      nodes.insert(maker);
      open.insert(open.end(), node->inputs.begin(), node->inputs.end());
    } else {
      region.others.push_back(value);
    }
  }
  if (nodes.size() > kMostNodes) {
    return Region{{}, {}, {}, {id}};
  }
  region.nodes.assign(nodes.begin(), nodes.end());
  return region;
}

}  // namespace zeropoint::toolchain
