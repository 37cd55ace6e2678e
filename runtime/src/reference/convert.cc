// The borders between reals and integers, functions of one element, and real arithmetic between integers.

#include <algorithm>

#include "operators/axes.h"
#include "reference/elements.h"
#include "reference/operations.h"

namespace zeropoint::reference {

Result<Tensor> run(const QuantizeOp& op, const Tensor& input, ElementType type) {
  return quantized(input, op.to, type);
}

Result<Tensor> run(const DequantizeOp& op, const Tensor& input, ElementType /*type*/) {
  return dequantized(input, op.from);
}

Result<Tensor> run(const TableOp& op, const Tensor& input, ElementType type) {
  operators::AlongAxis along{1, 1, input.size()};
  if (op.tables.rank() == 2) {
    ZP_ASSIGN_OR_RETURN(along, operators::AlongAxis::of(input.shape(), op.axis));
    if (along.extent != op.tables.dim(0)) {
      return Status::invalid_argument(op.tables.dim(0), " tables do not fit axis ", op.axis, " of ",
                                      input.shape());
    }
  }
  std::int64_t least = storage_range(input.type()).q_min;
  std::int64_t entries = op.tables.dim(-1);
  Tensor output(type, input.shape());
  visit_integer(input.type(), [&](auto in) {
    visit_integer(type, [&](auto out) {
      const auto* q = input.data<decltype(in)>().data();
      const auto* tables = op.tables.data<decltype(out)>().data();
      auto* to = output.data<decltype(out)>().data();
      for (std::int64_t i = 0; i < input.size(); ++i) {
        std::int64_t channel = i / along.inner % along.extent;
        to[i] = tables[channel * entries + static_cast<std::int64_t>(q[i]) - least];
      }
    });
  });
  return output;
}

Result<Tensor> run(const ArithmeticOp& op, std::span<const Tensor* const> inputs, ElementType type,
                   std::size_t most_bytes) {
  std::vector<Tensor> known;
  known.reserve(inputs.size() + op.constants.size() + op.steps.size());  // it is pointed into
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ZP_ASSIGN_OR_RETURN(Tensor real, dequantized(*inputs[i], op.inputs[i].from));
    known.push_back(std::move(real));
  }
  known.insert(known.end(), op.constants.begin(), op.constants.end());
  for (const ArithmeticOp::Step& step : op.steps) {
    std::vector<const Tensor*> operands;
    for (std::int32_t operand : step.operands) {
      operands.push_back(operand < 0 ? nullptr : &known[static_cast<std::size_t>(operand)]);
    }
    Result<std::vector<Tensor>> results =
        evaluate(OperatorCall(step.op, step.attributes, operands, 1, most_bytes));
    ZP_RETURN_IF_ERROR(results.status().at(std::string(name_of(step.op))));
    known.push_back(std::move((*results)[0]));
    most_bytes -= std::min(most_bytes, known.back().byte_size());
  }
  if (known.back().type() != ElementType::kFloat32) {
    return Status::invalid_argument("its last step gives ", name_of(known.back().type()));
  }
  return quantized(known.back(), op.to, type);
}

}  // namespace zeropoint::reference
