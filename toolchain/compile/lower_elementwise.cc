// Functions of one quantized tensor as tables; arithmetic between several, or behind an accumulator.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compile/element_table.h"
#include "compile/graph_lowering.h"
#include "zeropoint/affine_tensor.h"

namespace zeropoint::toolchain {

Region GraphLowering::region_of(ValueId id) const {
  return region_behind(graph_, producers_, id, [&](ValueId value) { return view(value) != nullptr; });
}

Region GraphLowering::region_of_one(const Node& node) const {
  Region region{{static_cast<std::int32_t>(&node - graph_.nodes.data())}, {}, {}, {}};
  for (ValueId input : node.inputs) {
    if (input != kNoValue) {
      (view(input) != nullptr       ? region.known
       : constant_reals(input).ok() ? region.constants
                                    : region.others)
          .push_back(input);
    }
  }
  return region;
}

Result<TensorId> GraphLowering::lower_table(const Region& region, ValueId id, const Target& target,
                                            const std::string& name) {
  ValueId source = region.known[0];
  const QuantizedView& from = *view(source);
  if (size_of(from.type) > 2) {
    return Status::unsupported("a table of 2^32 entries is none");
  }
  std::map<ValueId, Tensor> constants;
  for (ValueId constant : region.constants) {
    ZP_ASSIGN_OR_RETURN(constants[constant], constant_reals(constant));
  }
  ZP_ASSIGN_OR_RETURN(ElementTable table,
                      element_table(graph_, region, id, from.params, from.type, constants));
  ZP_ASSIGN_OR_RETURN(Tensor tables, quantize(table.reals, {Granularity::per_tensor(), {target.params}},
                                              target.range, target.type));
  TensorId output = builder_.add_tensor(name, target.type, graph_.value(id).dims);
  builder_.add(TableOp{from.tensor, output, std::move(tables), table.axis});
  return output;
}

namespace {

/// (q_a - Z_a) * (q_b - Z_b) * factor + Z_out, rounded: as ONNX Runtime computes QLinearMul, where the zero
/// point is added before the rounding.
ArithmeticOp product_of_steps(const QuantizedView& a, const QuantizedView& b, float factor,
                              const Target& target, TensorId output) {
  auto steps_of = [](const QuantizedView& x) {
    return ArithmeticOp::Input{x.tensor, {{1.0F}, x.params.zero_point}};
  };
  auto number = [](float value) { return Tensor::of<float>({}, std::vector<float>{value}); };
  return {{steps_of(a), steps_of(b)},
          {number(factor), number(static_cast<float>(target.params.zero_point))},
          {{Op::kMul, {}, {0, 1}}, {Op::kMul, {}, {4, 2}}, {Op::kAdd, {}, {5, 3}}},
          output,
          {{1.0F, 0}, target.range}};
}

}  // namespace

std::optional<TensorId> GraphLowering::lower_pair(const Region& region, ValueId id, const Target& target,
                                                  const std::string& name) {
  const Node* node =
      region.nodes.size() == 1 ? &graph_.nodes[static_cast<std::size_t>(region.nodes[0])] : nullptr;
  bool adds = node != nullptr && (node->op == Op::kAdd || node->op == Op::kSum);
  bool pairs = node != nullptr && (adds || node->op == Op::kMul) && node->inputs.size() == 2 &&
               view(node->inputs[0]) != nullptr && view(node->inputs[1]) != nullptr;
  if (!pairs) {
    return std::nullopt;
  }
  const QuantizedView& a = *view(node->inputs[0]);
  const QuantizedView& b = *view(node->inputs[1]);
  // Operators on integers take 8 bits of one type; what is wider, or mixed, others compute in float.
  if (size_of(target.type) > 1 || a.type != target.type || b.type != target.type) {
    return std::nullopt;
  }
  float factor = a.params.scale * b.params.scale / target.params.scale;
  if (!adds && !std::isnormal(factor)) {
    return std::nullopt;
  }
  TensorId output = builder_.add_tensor(name, target.type, graph_.value(id).dims);
  if (adds) {
    builder_.add(AddOp{a.tensor, b.tensor, output, a.params, b.params, target.quantization()});
  } else {
    builder_.add(product_of_steps(a, b, factor, target, output));
  }
  return output;
}

Result<TensorId> GraphLowering::lower_arithmetic(const Region& region, ValueId id, const Target& target,
                                                 const std::string& name) {
  if (region.nodes.empty()) {
    return Status::unsupported("it has no integer form here");
  }
  if (std::optional<TensorId> made = lower_pair(region, id, target, name)) {
    return *made;
  }
  ArithmeticOp op;
  std::map<ValueId, std::int32_t> indices;  // of the operands
  auto add_operand = [&](ValueId value) { indices[value] = static_cast<std::int32_t>(indices.size()); };
  for (ValueId value : region.known) {
    const QuantizedView& from = *view(value);
    op.inputs.push_back({from.tensor, {{from.params.scale}, from.params.zero_point}});
    add_operand(value);
  }
  for (ValueId value : region.others) {
    std::int32_t maker = producers_[static_cast<std::size_t>(value)];
    if (layers_.count(maker) == 0) {
      return Status::unsupported(fmt::format("its input '{}' is not quantized", graph_.value(value).name));
    }
    ZP_ASSIGN_OR_RETURN(DequantizeOp layer,
                        accumulator(value, graph_.nodes[static_cast<std::size_t>(maker)]));
    op.inputs.push_back({layer.input, layer.from});
    add_operand(value);
  }
  if (op.inputs.empty()) {
    return Status::unsupported("its inputs are not quantized");
  }
  for (ValueId value : region.constants) {
    ZP_ASSIGN_OR_RETURN(Tensor constant, constant_reals(value));
    op.constants.push_back(std::move(constant));
    add_operand(value);
  }
  for (std::int32_t index : region.nodes) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    if (!is_ieee_arithmetic(node.op)) {
      return Status::unsupported(
          fmt::format("{} of more than one tensor, or of a sum of products, fits no table", describe(node)));
    }
    ArithmeticOp::Step step{node.op, node.attributes, {}};
    for (ValueId input : node.inputs) {
      step.operands.push_back(input == kNoValue ? -1 : indices.at(input));
    }
    op.steps.push_back(std::move(step));
    add_operand(node.outputs[0]);
  }
  op.output = builder_.add_tensor(name, target.type, graph_.value(id).dims);
  op.to = target.quantization();
  TensorId output = op.output;
  builder_.add(std::move(op));
  return output;
}

}  // namespace zeropoint::toolchain
