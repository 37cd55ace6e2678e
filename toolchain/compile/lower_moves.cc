// Nodes whose outputs hold elements of their inputs: they run on the integers.

#include <fmt/format.h>

#include <algorithm>

#include "compile/graph_lowering.h"
#include "quantize/node_role.h"
#include "zeropoint/affine_tensor.h"

namespace zeropoint::toolchain {
namespace {

/// Each element of `reals` as an integer that stands for exactly it; none where that is not so.
std::optional<Tensor> exact_integers(const Tensor& reals, QuantParams params, ElementType type) {
  if (reals.type() != ElementType::kFloat32) {
    return std::nullopt;
  }
  TensorParams all{Granularity::per_tensor(), {params}};
  Result<Tensor> integers = quantize(reals, all, storage_range(type), type);
  Result<Tensor> back = integers.ok() ? dequantize(*integers, all) : integers;
  if (!back.ok() || !std::ranges::equal(back->data<float>(), reals.data<float>())) {
    return std::nullopt;
  }
  return *std::move(integers);
}

}  // namespace

std::optional<std::vector<std::size_t>> GraphLowering::moved_inputs(const Node& node) const {
  NodeRole role = role_of(graph_, node);
  if (role.kind != NodeRole::Kind::kMoves || node.inputs.empty()) {
    return std::nullopt;
  }
  std::vector<std::size_t> moved = role.operands;
  std::erase_if(moved, [&](std::size_t i) { return !node.has_input(i); });
  if (node.op == Op::kPad && node.has_input(2)) {
    moved.push_back(2);
  }
  return moved;
}

/// The node over the integers of its moved inputs. Outputs are left to the caller.
Result<EvaluateOp> GraphLowering::move_of(const Node& node, const std::vector<std::size_t>& moved,
                                          const std::vector<TensorId>& integers, QuantizedRange range,
                                          std::int64_t zero_point, ElementType type) {
  EvaluateOp op{node.op, node.attributes, {}, std::vector<TensorId>(node.outputs.size(), kNoTensor)};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    auto found = std::find(moved.begin(), moved.end(), i);
    op.inputs.push_back(kNoTensor);
    if (found != moved.end()) {
      op.inputs.back() = integers[static_cast<std::size_t>(found - moved.begin())];
    } else if (node.has_input(i)) {
      ZP_ASSIGN_OR_RETURN(op.inputs.back(), plain(node.inputs[i]));
    }
  }
  if (node.op == Op::kPad && !node.has_input(2)) {
    // ONNX pads with the real 0.
    auto zero = std::make_shared<Tensor>(type, Shape{});
    visit_integer(type, [&](auto element) {
      zero->data<decltype(element)>()[0] =
          static_cast<decltype(element)>(std::clamp(zero_point, range.q_min, range.q_max));
    });
    op.inputs.resize(std::max<std::size_t>(op.inputs.size(), 3), kNoTensor);
    op.inputs[2] = builder_.add_constant(node.name + "_zero", std::move(zero));
  }
  return op;
}

/// Where all that is moved is known as integers of one scale and zero point, so are the outputs. Gives
/// whether.
Result<bool> GraphLowering::move_views(std::int32_t index) {
  const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  std::optional<std::vector<std::size_t>> moved = moved_inputs(node);
  const QuantizedView* first = nullptr;
  for (std::size_t i = 0; moved && first == nullptr && i < moved->size(); ++i) {
    first = view(node.inputs[(*moved)[i]]);
  }
  if (first == nullptr || size_of(first->type) > 2) {
    return false;
  }
  QuantizedView common = *first;
  std::vector<TensorId> integers;
  for (std::size_t i : *moved) {
    ValueId input = node.inputs[i];
    const QuantizedView* known = view(input);
    if (known != nullptr && known->params == common.params && known->type == common.type) {
      integers.push_back(known->tensor);
      continue;
    }
    const Tensor* constant = graph_.constant(node, i);
    std::optional<Tensor> exact =
        constant == nullptr ? std::nullopt : exact_integers(*constant, common.params, common.type);
    if (!exact) {
      return false;
    }
    integers.push_back(builder_.add_constant(graph_.value(input).name + "_integers",
                                             std::make_shared<const Tensor>(*std::move(exact))));
  }
  ZP_ASSIGN_OR_RETURN(EvaluateOp op, move_of(node, *moved, integers, storage_range(common.type),
                                             common.params.zero_point, common.type));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    ValueId output = node.outputs[i];
    if (output == kNoValue) {
      continue;
    }
    const Value& value = graph_.value(output);
    if (value.type == ElementType::kFloat32) {
      op.outputs[i] = builder_.add_unnamed(value, common.type);
      views_[output] = {op.outputs[i], common.params, common.type};
    } else {
      op.outputs[i] = tensors_[output] = builder_.add_tensor(value.name, value.type, value.dims);
    }
  }
  builder_.add(std::move(op));
  return true;
}

/// quantize(move(x)) = move(quantize(x)).
Result<TensorId> GraphLowering::move_quantized(const Node& node, ValueId id, const Target& target,
                                               const std::string& name, int depth) {
  std::vector<std::size_t> moved = *moved_inputs(node);
  std::vector<TensorId> integers;
  for (std::size_t i : moved) {
    const Value& value = graph_.value(node.inputs[i]);
    if (value.type != ElementType::kFloat32) {
      return Status::unsupported(
          fmt::format("its input '{}' is {}", value.name, zeropoint::name_of(value.type)));
    }
    ZP_ASSIGN_OR_RETURN(TensorId made,
                        quantize_value(node.inputs[i], target, value.name + "_integers", depth));
    integers.push_back(made);
  }
  std::int64_t zero = quantize(0.0F, target.params, target.range);
  ZP_ASSIGN_OR_RETURN(EvaluateOp op, move_of(node, moved, integers, target.range, zero, target.type));
  TensorId output = builder_.add_tensor(name, target.type, graph_.value(id).dims);
  op.outputs[static_cast<std::size_t>(std::find(node.outputs.begin(), node.outputs.end(), id) -
                                      node.outputs.begin())] = output;
  builder_.add(std::move(op));
  return output;
}

}  // namespace zeropoint::toolchain
