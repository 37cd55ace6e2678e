#pragma once

// Programs compared field by field. The structured bindings stop compiling when a struct gets another field.

#include <type_traits>

#include "zeropoint/program.h"

namespace zeropoint::testing_programs {

template <typename T>
bool same(const T& a, const T& b);

template <typename T>
bool same_lists(const std::vector<T>& a, const std::vector<T>& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i) {
    equal = same(a[i], b[i]);
  }
  return equal;
}
inline bool same_constants(const std::shared_ptr<const Tensor>& a, const std::shared_ptr<const Tensor>& b) {
  return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
}
inline bool same_attributes(const Attributes& a, const Attributes& b) {
  bool equal = a.size() == b.size();
  for (auto i = a.begin(), j = b.begin(); equal && i != a.end(); ++i, ++j) {
    const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&i->second);
    const auto* other = std::get_if<std::shared_ptr<const Tensor>>(&j->second);
    bool are_tensors = tensor != nullptr && other != nullptr;
    equal = i->first == j->first && (are_tensors ? same_constants(*tensor, *other) : i->second == j->second);
  }
  return equal;
}
inline bool same_ranges(const Quantization& a, const Quantization& b) {
  const auto& [params, range] = a;
  return params == b.params && range == b.range;
}
inline bool same_scales(const Dequantization& a, const Dequantization& b) {
  const auto& [scales, zero_point, axis] = a;
  return scales == b.scales && zero_point == b.zero_point && axis == b.axis;
}
inline bool same_multipliers(const Requantization& a, const Requantization& b) {
  const auto& [multipliers, zero_point, clamp] = a;
  return multipliers == b.multipliers && zero_point == b.zero_point && clamp == b.clamp;
}
inline bool same_layers(const LinearLayer& a, const LinearLayer& b) {
  const auto& [weights, folded_bias, accumulator, requantization] = a;
  return weights == b.weights && folded_bias == b.folded_bias && accumulator == b.accumulator &&
         requantization.has_value() == b.requantization.has_value() &&
         (!requantization || same_multipliers(*requantization, *b.requantization));
}
inline bool same_windows(const Window& a, const Window& b) {
  const auto& [strides, dilations, holes, pads_begin, pads_end] = a;
  return strides == b.strides && dilations == b.dilations && holes == b.holes && pads_begin == b.pads_begin &&
         pads_end == b.pads_end;
}

inline bool same_operations(const QuantizeOp& a, const QuantizeOp& b) {
  const auto& [input, output, to] = a;
  return input == b.input && output == b.output && same_ranges(to, b.to);
}
inline bool same_operations(const DequantizeOp& a, const DequantizeOp& b) {
  const auto& [input, output, from] = a;
  return input == b.input && output == b.output && same_scales(from, b.from);
}
inline bool same_operations(const ConvOp& a, const ConvOp& b) {
  const auto& [input, output, layer, window, group, input_zero_point] = a;
  return input == b.input && output == b.output && same_layers(layer, b.layer) &&
         same_windows(window, b.window) && group == b.group && input_zero_point == b.input_zero_point;
}
inline bool same_operations(const FullyConnectedOp& a, const FullyConnectedOp& b) {
  const auto& [input, output, layer] = a;
  return input == b.input && output == b.output && same_layers(layer, b.layer);
}
inline bool same_operations(const MatMulOp& a, const MatMulOp& b) {
  const auto& [left, right, output, a_zero_point, b_zero_point, requantization] = a;
  return left == b.a && right == b.b && output == b.output && a_zero_point == b.a_zero_point &&
         b_zero_point == b.b_zero_point && same_multipliers(requantization, b.requantization);
}
inline bool same_operations(const AddOp& a, const AddOp& b) {
  const auto& [left, right, output, a_params, b_params, to] = a;
  return left == b.a && right == b.b && output == b.output && a_params == b.a_params &&
         b_params == b.b_params && same_ranges(to, b.to);
}
inline bool same_operations(const TableOp& a, const TableOp& b) {
  const auto& [input, output, tables, axis] = a;
  return input == b.input && output == b.output && tables == b.tables && axis == b.axis;
}
template <>
inline bool same(const ArithmeticOp::Input& a, const ArithmeticOp::Input& b) {
  const auto& [tensor, from] = a;
  return tensor == b.tensor && same_scales(from, b.from);
}
template <>
inline bool same(const ArithmeticOp::Step& a, const ArithmeticOp::Step& b) {
  const auto& [op, attributes, operands] = a;
  return op == b.op && same_attributes(attributes, b.attributes) && operands == b.operands;
}
inline bool same_operations(const ArithmeticOp& a, const ArithmeticOp& b) {
  const auto& [inputs, constants, steps, output, to] = a;
  return same_lists(inputs, b.inputs) && constants == b.constants && same_lists(steps, b.steps) &&
         output == b.output && same_ranges(to, b.to);
}
inline bool same_operations(const ReduceOp& a, const ReduceOp& b) {
  const auto& [input, output, axes, keep_axes, mean, from, to] = a;
  return input == b.input && output == b.output && axes == b.axes && keep_axes == b.keep_axes &&
         mean == b.mean && from == b.from && same_ranges(to, b.to);
}
inline bool same_operations(const AveragePoolOp& a, const AveragePoolOp& b) {
  const auto& [input, output, attributes, from, to] = a;
  return input == b.input && output == b.output && same_attributes(attributes, b.attributes) &&
         from == b.from && same_ranges(to, b.to);
}
inline bool same_operations(const SoftmaxOp& a, const SoftmaxOp& b) {
  const auto& [input, output, axis, logarithm, scale, exponentials, to] = a;
  return input == b.input && output == b.output && axis == b.axis && logarithm == b.logarithm &&
         scale == b.scale && exponentials == b.exponentials && same_ranges(to, b.to);
}
inline bool same_operations(const NormalizeOp& a, const NormalizeOp& b) {
  const auto& [input, output, kind, axis, groups, epsilon, gain, bias, from, to] = a;
  return input == b.input && output == b.output && kind == b.kind && axis == b.axis && groups == b.groups &&
         epsilon == b.epsilon && gain == b.gain && bias == b.bias && from == b.from && same_ranges(to, b.to);
}
inline bool same_operations(const EvaluateOp& a, const EvaluateOp& b) {
  const auto& [op, attributes, inputs, outputs] = a;
  return op == b.op && same_attributes(attributes, b.attributes) && inputs == b.inputs &&
         outputs == b.outputs;
}

template <>
inline bool same(const Operation& a, const Operation& b) {
  return a.index() == b.index() && std::visit(
                                       [&](const auto& op) {
                                         using Kind = std::decay_t<decltype(op)>;
                                         return same_operations(op, std::get<Kind>(b));
                                       },
                                       a);
}
template <>
inline bool same(const TensorInfo& a, const TensorInfo& b) {
  const auto& [name, type, shape, constant] = a;
  return name == b.name && type == b.type && shape == b.shape && same_constants(constant, b.constant);
}
inline bool same_programs(const Program& a, const Program& b) {
  const auto& [name, tensors, operations, inputs, outputs, verified] = a;
  return name == b.name && same_lists(tensors, b.tensors) && same_lists(operations, b.operations) &&
         inputs == b.inputs && outputs == b.outputs;
}

}  // namespace zeropoint::testing_programs
