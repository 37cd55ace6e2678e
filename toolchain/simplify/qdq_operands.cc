#include "simplify/qdq_operands.h"

#include <algorithm>
#include <bit>

#include "simplify/qdq_pairs.h"
#include "zeropoint/affine.h"

namespace zeropoint::toolchain {
namespace {

std::int64_t integer_at(const Tensor& tensor, std::size_t i) {
  std::int64_t value = 0;
  visit_integer(tensor.type(), [&](auto element) {
    value = static_cast<std::int64_t>(tensor.data<decltype(element)>()[i]);
  });
  return value;
}

bool is_zero(const Tensor& tensor) {
  return std::all_of(tensor.bytes(), tensor.bytes() + tensor.byte_size(),
                     [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

QdqOperands::QdqOperands(const Graph& graph)
    : graph_(graph),
      producers_(producers(graph)),
      consumers_(consumers(graph)),
      is_output_(graph.values.size(), false) {
  for (ValueId output : graph.outputs) {
    is_output_[static_cast<std::size_t>(output)] = true;
  }
}

/// Of a DequantizeLinear or QuantizeLinear; operators on integers want every zero point to be there.
std::optional<QuantizedOperand> QdqOperands::operand_of(const Node& node, ValueId integers) const {
  const Tensor* scale = constant(node.inputs[1]);
  const Tensor* zero_point = node.has_input(2) ? constant(node.inputs[2]) : nullptr;
  if (scale == nullptr || zero_point == nullptr || scale->type() != ElementType::kFloat32 ||
      int_attribute(node, "block_size") != 0 || scale->rank() > 1) {
    return std::nullopt;
  }
  QuantizedOperand operand{
      integers, node.inputs[1], node.inputs[2], graph_.value(integers).type, is_single(*scale), 0};
  if (!operand.is_per_tensor) {
    const std::optional<Dims>& dims = graph_.value(integers).dims;
    operand.axis = int_attribute(node, "axis");
    if (operand.axis < 0 && !dims) {
      return std::nullopt;
    }
    operand.axis += operand.axis < 0 ? static_cast<std::int64_t>(dims->size()) : 0;
  }
  return operand;
}

std::optional<QuantizedOperand> QdqOperands::operand(ValueId real) const {
  std::int32_t maker = producers_[static_cast<std::size_t>(real)];
  if (maker < 0 || graph_.nodes[static_cast<std::size_t>(maker)].op != Op::kDequantizeLinear) {
    return std::nullopt;
  }
  const Node& node = graph_.nodes[static_cast<std::size_t>(maker)];
  return operand_of(node, node.inputs[0]);
}

std::optional<QuantizedOperand> QdqOperands::result(const Node& quantize) const {
  std::optional<QuantizedOperand> operand = operand_of(quantize, quantize.outputs[0]);
  return operand && operand->is_per_tensor && operand->is_8_bits() ? operand : std::nullopt;
}

std::optional<ValueId> QdqOperands::bias(ValueId real, const QuantizedOperand& x, const QuantizedOperand& w,
                                         float alpha) const {
  std::int32_t maker = producers_[static_cast<std::size_t>(real)];
  if (maker < 0 || graph_.nodes[static_cast<std::size_t>(maker)].op != Op::kDequantizeLinear) {
    return std::nullopt;
  }
  const Node& node = graph_.nodes[static_cast<std::size_t>(maker)];
  const Tensor* scale = constant(node.inputs[1]);
  const Tensor* zero_point = node.has_input(2) ? constant(node.inputs[2]) : nullptr;
  const Tensor& weight_scale = *constant(w.scale);
  if (graph_.value(node.inputs[0]).type != ElementType::kInt32 || scale == nullptr ||
      scale->type() != ElementType::kFloat32 ||
      (node.has_input(2) && (zero_point == nullptr || !is_zero(*zero_point))) ||
      (scale->size() != weight_scale.size())) {
    return std::nullopt;
  }
  float unit = alpha * constant(x.scale)->data<float>()[0];
  for (std::size_t i = 0; i < scale->data<float>().size(); ++i) {
    if (std::bit_cast<std::uint32_t>(scale->data<float>()[i]) !=
        std::bit_cast<std::uint32_t>(unit * weight_scale.data<float>()[i])) {
      return std::nullopt;
    }
  }
  return node.inputs[0];
}

std::optional<std::size_t> QdqOperands::sole_maker(ValueId value) const {
  auto index = static_cast<std::size_t>(value);
  if (producers_[index] < 0 || consumers_[index].size() != 1 || is_output_[index]) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(producers_[index]);
}

bool QdqOperands::stays_real(std::size_t node) const {
  auto output = static_cast<std::size_t>(graph_.nodes[node].outputs[0]);
  return is_output_[output] && consumers_[output].empty();
}

bool QdqOperands::is_idle_clamp(const Node& node, const QuantizedOperand& y) const {
  QuantParams params{constant(y.scale)->data<float>()[0], integer_at(*constant(y.zero_point), 0)};
  QuantizedRange range = storage_range(y.type);
  if (node.op == Op::kRelu) {
    return quantize(0.0F, params, range) == range.q_min;
  }
  if (node.op != Op::kClip) {
    return false;
  }
  auto bound = [&](std::size_t i) {
    const Tensor* tensor = graph_.constant(node, i);
    return tensor != nullptr && tensor->type() == ElementType::kFloat32 && tensor->size() == 1
               ? std::optional(tensor->data<float>()[0])
               : std::nullopt;
  };
  std::optional<float> low = bound(1);
  std::optional<float> high = bound(2);
  return (low ? quantize(*low, params, range) == range.q_min : !node.has_input(1)) &&
         (high ? quantize(*high, params, range) == range.q_max : !node.has_input(2));
}

bool QdqOperands::same_params(const QuantizedOperand& a, const QuantizedOperand& b) const {
  return std::bit_cast<std::uint32_t>(constant(a.scale)->data<float>()[0]) ==
             std::bit_cast<std::uint32_t>(constant(b.scale)->data<float>()[0]) &&
         a.type == b.type && integer_at(*constant(a.zero_point), 0) == integer_at(*constant(b.zero_point), 0);
}

}  // namespace zeropoint::toolchain
