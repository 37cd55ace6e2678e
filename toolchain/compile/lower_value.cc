#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compile/graph_lowering.h"
#include "zeropoint/affine_tensor.h"

namespace zeropoint::toolchain {
namespace {

/// Beyond this many moves one behind the other, the last is done on reals.
constexpr int kDeepest = 64;

bool is_clamp(const Node& node) { return node.op == Op::kRelu || node.op == Op::kClip; }

}  // namespace

/// The target before the activation `node`: quantize(clip(r)) = clamp(quantize(r)). None where its bounds are
/// not known.
std::optional<Target> GraphLowering::narrowed(const Node& node, const Target& target) const {
  QuantizedRange held = storage_range(target.type);
  QuantizedRange bounds = held;
  if (node.op == Op::kRelu) {
    bounds.q_min = quantize(0.0F, target.params, held);
  }
  for (std::size_t bound : {1U, 2U}) {
    if (!node.has_input(bound)) {
      continue;
    }
    const Tensor* limit = graph_.constant(node, bound);
    if (limit == nullptr || limit->type() != ElementType::kFloat32 || limit->size() != 1 ||
        std::isnan(limit->data<float>()[0])) {
      return std::nullopt;
    }
    (bound == 1 ? bounds.q_min : bounds.q_max) = quantize(limit->data<float>()[0], target.params, held);
  }
  // Not std::clamp: where the bounds cross, ONNX's Clip gives the upper one. The activation comes before what
  // narrowed the target already.
  Target result = target;
  bounds.q_min = std::min(bounds.q_min, bounds.q_max);
  auto clip = [&](std::int64_t q) { return std::min(std::max(q, target.range.q_min), target.range.q_max); };
  result.range = {clip(bounds.q_min), clip(bounds.q_max)};
  return result;
}

Result<TensorId> GraphLowering::quantize_constant(ValueId id, const Target& target, const std::string& name) {
  ZP_ASSIGN_OR_RETURN(Tensor reals, constant_reals(id));
  if (reals.type() != ElementType::kFloat32) {
    return Status::unsupported(
        fmt::format("its input '{}' is {}", graph_.value(id).name, zeropoint::name_of(reals.type())));
  }
  ZP_ASSIGN_OR_RETURN(Tensor integers, quantize(reals, {Granularity::per_tensor(), {target.params}},
                                                target.range, target.type));
  return builder_.add_constant(name, std::make_shared<const Tensor>(std::move(integers)));
}

Result<TensorId> GraphLowering::quantize_value(ValueId id, const Target& target, const std::string& name,
                                               int depth) {
  for (const auto& [made_for, tensor] : quantized_[id]) {
    if (made_for == target) {
      return tensor;
    }
  }
  ZP_ASSIGN_OR_RETURN(TensorId made, make_quantized(id, target, name, depth));
  quantized_[id].emplace_back(target, made);
  return made;
}

Result<TensorId> GraphLowering::make_quantized(ValueId id, Target target, const std::string& name,
                                               int depth) {
  if (const QuantizedView* known = view(id)) {
    bool same = known->params == target.params && known->type == target.type &&
                target.range == storage_range(target.type) && size_of(target.type) <= 2;
    if (same) {
      return known->tensor;
    }
  }
  if (graph_.value(id).constant != nullptr) {
    return quantize_constant(id, target, name);
  }
  Region region = region_of(id);
  if (region.is_function_of_one()) {
    Result<TensorId> made = lower_table(region, id, target, name);
    if (made.ok()) {
      return made;
    }
  }
  const Node* node = producer(id);
  while (node != nullptr && view(id) == nullptr && is_clamp(*node)) {
    std::optional<Target> before = narrowed(*node, target);
    if (!before) {
      break;
    }
    target = *before;
    id = node->inputs[0];
    node = producer(id);
  }
  if (view(id) != nullptr || node == nullptr) {
    ZP_ASSIGN_OR_RETURN(TensorId reals, plain(id));
    TensorId made = builder_.add_tensor(name, target.type, graph_.value(id).dims);
    builder_.add(QuantizeOp{reals, made, target.quantization()});
    return made;
  }
  Result<TensorId> made = depth < kDeepest && moved_inputs(*node)
                              ? move_quantized(*node, id, target, name, depth + 1)
                              : compute(*node, id, target, name);
  if (made.ok()) {
    return made;
  }
  if (reasons_.count(node) == 0) {
    reasons_[node] = made.status().message();
  }
  ZP_ASSIGN_OR_RETURN(TensorId reals, plain(id));
  TensorId quantized = builder_.add_tensor(name, target.type, graph_.value(id).dims);
  builder_.add(QuantizeOp{reals, quantized, target.quantization()});
  return quantized;
}

Result<TensorId> GraphLowering::compute(const Node& node, ValueId id, const Target& target,
                                        const std::string& name) {
  using Lower = Status (GraphLowering::*)(const Node&, const Target&, TensorId);
  Lower lower = nullptr;
  switch (node.op) {
    case Op::kConv:
    case Op::kConvTranspose:
    case Op::kGemm:
      lower = &GraphLowering::lower_layer;
      break;
    case Op::kMatMul:
      lower =
          is_layer(graph_, node, producers_) ? &GraphLowering::lower_layer : &GraphLowering::lower_mat_mul;
      break;
    case Op::kAveragePool:
      lower = &GraphLowering::lower_average_pool;
      break;
    case Op::kGlobalAveragePool:
    case Op::kReduceMean:
    case Op::kReduceSum:
      lower = &GraphLowering::lower_reduce;
      break;
    case Op::kSoftmax:
    case Op::kLogSoftmax:
      lower = &GraphLowering::lower_softmax;
      break;
    case Op::kLayerNormalization:
    case Op::kRMSNormalization:
    case Op::kInstanceNormalization:
    case Op::kGroupNormalization:
      lower = &GraphLowering::lower_normalization;
      break;
    case Op::kResize:
      return lower_arithmetic(region_of_one(node), id, target, name);
    default:
      return lower_arithmetic(region_of(id), id, target, name);
  }
  if (node.outputs[0] != id) {
    return Status::unsupported(fmt::format("its result '{}' has no integer form", graph_.value(id).name));
  }
  TensorId output = builder_.add_tensor(name, target.type, graph_.value(id).dims);
  ZP_RETURN_IF_ERROR((this->*lower)(node, target, output));
  return output;
}

}  // namespace zeropoint::toolchain
