// Elementwise operators on tensors as they are: functions of reals, arithmetic, comparisons, conversions.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/broadcast_step.h"
#include "kernels/elementwise/elementwise.h"
#include "zeropoint/half.h"

namespace zeropoint::engine {

bool is_elementwise(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kAnd:
    case Op::kBitShift:
    case Op::kBitwiseAnd:
    case Op::kBitwiseNot:
    case Op::kBitwiseOr:
    case Op::kBitwiseXor:
    case Op::kCast:
    case Op::kCastLike:
    case Op::kClip:
    case Op::kDiv:
    case Op::kEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
    case Op::kIsInf:
    case Op::kIsNaN:
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kMax:
    case Op::kMean:
    case Op::kMin:
    case Op::kMod:
    case Op::kMul:
    case Op::kNot:
    case Op::kOr:
    case Op::kPRelu:
    case Op::kPow:
    case Op::kRelu:
    case Op::kSub:
    case Op::kSum:
    case Op::kWhere:
    case Op::kXor:
      return true;
    default:  // functions of one element, but for the one that computes in double
      return info_of(op).integer_form == IntegerForm::kTable && op != Op::kShrink;
  }
}

namespace {

/// Inputs whose elements choose the function.
bool is_parameter(const Builder& builder, const EvaluateOp& op, std::size_t i) {
  bool divides_integers = (op.op == Op::kDiv || op.op == Op::kMod) && is_integer(builder.type(op.outputs[0]));
  return i > 0 && (op.op == Op::kClip || op.op == Op::kPow || divides_integers);
}

/// The operator's inner loop; none where it is not known before the run.
std::optional<operators::RowForm> rows_of(const Builder& builder, const EvaluateOp& op) {
  std::vector<Tensor> stand_ins;
  stand_ins.reserve(op.inputs.size());
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    TensorId id = op.inputs[i];
    if (id == kNoTensor) {
      inputs.push_back(nullptr);
      continue;
    }
    if (is_half(builder.type(id))) {
      return std::nullopt;
    }
    if (is_parameter(builder, op, i)) {
      if (builder.constant(id) == nullptr) {
        return std::nullopt;
      }
      inputs.push_back(builder.constant(id));
      continue;
    }
    stand_ins.emplace_back(builder.type(id), Shape{});
    inputs.push_back(&stand_ins.back());
  }
  Result<operators::RowForm> form = operators::row_form_of(OperatorCall(op.op, op.attributes, inputs));
  return form.ok() ? std::optional(*std::move(form)) : std::nullopt;
}

/// Sums, differences, products and quotients of float32 have quick loops.
operators::RowKernel quick_kernel(const Builder& builder, const EvaluateOp& op,
                                  operators::RowKernel otherwise) {
  if (builder.type(op.outputs[0]) != ElementType::kFloat32 || op.inputs.size() != 2) {
    return otherwise;
  }
  kernels::Arithmetic arithmetic;
  switch (op.op) {
    case Op::kAdd:
      arithmetic = kernels::Arithmetic::kAdd;
      break;
    case Op::kSub:
      arithmetic = kernels::Arithmetic::kSubtract;
      break;
    case Op::kMul:
      arithmetic = kernels::Arithmetic::kMultiply;
      break;
    case Op::kDiv:
      arithmetic = kernels::Arithmetic::kDivide;
      break;
    default:
      return otherwise;
  }
  auto combine = kernels::elementwise_for(builder.isa()).combine;
  return [=](std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
    combine(arithmetic, reinterpret_cast<const float*>(inputs[0]), reinterpret_cast<const float*>(inputs[1]),
            reinterpret_cast<float*>(output), count);
  };
}

}  // namespace

bool build_broadcast(Builder& builder, const EvaluateOp& op) {
  if (!is_elementwise(op.op) || op.outputs.size() != 1) {
    return false;
  }
  std::optional<operators::RowForm> form = rows_of(builder, op);
  if (!form || std::find(op.inputs.begin(), op.inputs.begin() + static_cast<std::ptrdiff_t>(form->inputs),
                         kNoTensor) != op.inputs.begin() + static_cast<std::ptrdiff_t>(form->inputs)) {
    return false;
  }
  std::vector<operators::BroadcastWalk::Operand> operands;
  std::vector<Place> places;
  for (std::size_t i = 0; i < form->inputs; ++i) {
    operands.push_back({builder.shape(op.inputs[i]), size_of(builder.type(op.inputs[i]))});
    places.push_back(builder.exact(op.inputs[i]));
  }
  TensorId made = op.outputs[0];
  ElementType type = builder.type(made);
  operators::BroadcastWalk walk(operands, {builder.shape(made), size_of(type)});
  Place output = builder.new_exact(made);
  auto step = std::make_unique<BroadcastStep>(std::move(walk), quick_kernel(builder, op, form->kernel),
                                              places, output);
  step->profile.name = builder.program().tensor(made).name;
  step->profile.operation = describe(op);
  step->profile.kernel = "rows";
  step->profile.in_float = !is_integer(type) && type != ElementType::kBool;
  places.push_back(output);
  builder.add(std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
