// Real arithmetic between quantized tensors.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/arithmetic_step.h"
#include "operators/broadcast.h"
#include "operators/move_elements.h"
#include "operators/window_taps.h"

namespace zeropoint::engine {
namespace {

std::optional<kernels::Arithmetic> arithmetic_of(Op op) {
  switch (op) {
    case Op::kAdd:
      return kernels::Arithmetic::kAdd;
    case Op::kSub:
      return kernels::Arithmetic::kSubtract;
    case Op::kMul:
      return kernels::Arithmetic::kMultiply;
    case Op::kDiv:
      return kernels::Arithmetic::kDivide;
    default:
      return std::nullopt;
  }
}

/// Joins the last two axes as long as every operand goes through them as through one.
void join_axes(Shape& extents, std::vector<Shape>& strides) {
  auto joins = [&](const Shape& s) {
    std::size_t last = extents.size() - 1;
    return s[last - 1] == s[last] * extents[last] || extents[last - 1] == 1;
  };
  while (extents.size() > 1 && std::ranges::all_of(strides, joins)) {
    std::size_t last = extents.size() - 1;
    extents[last - 1] *= extents[last];
    extents.pop_back();
    for (Shape& s : strides) {
      s[last - 1] = s[last];
      s.pop_back();
    }
  }
}

}  // namespace

bool build_arithmetic(Builder& builder, const ArithmeticOp& op) {
  auto known = static_cast<std::int32_t>(op.inputs.size() + op.constants.size());
  auto step = std::make_unique<ArithmeticStep>();
  for (const ArithmeticOp::Step& s : op.steps) {
    std::optional<kernels::Arithmetic> arithmetic = arithmetic_of(s.op);
    if (!arithmetic || s.operands.size() != 2 || s.operands[0] < 0 || s.operands[1] < 0) {
      return false;
    }
    step->operations.push_back({*arithmetic, s.operands[0], s.operands[1]});
  }
  const Shape& shape = builder.shape(op.output);
  // No step need use an operand, but all are loaded.
  auto broadcasts = [&](const Shape& own) {
    Result<Shape> joined = operators::broadcast_shapes(own, shape);
    return joined.ok() && *joined == shape;
  };
  bool sound = is_byte(builder.type(op.output)) && !shape.empty() && known > 0;
  for (const ArithmeticOp::Input& input : op.inputs) {
    sound = sound && is_byte(builder.type(input.tensor)) && input.from.scales.size() == 1 &&
            broadcasts(builder.shape(input.tensor));
  }
  for (const Tensor& constant : op.constants) {
    sound = sound && constant.type() == ElementType::kFloat32 && broadcasts(constant.shape());
  }
  if (!sound) {
    return false;
  }
  step->kernels = &kernels::elementwise_for(builder.isa());
  std::vector<Shape> strides;
  std::vector<Place> places;
  for (const ArithmeticOp::Input& input : op.inputs) {
    ElementType type = builder.type(input.tensor);
    Place place = builder.plain(input.tensor);
    step->operands.push_back({false,
                              place,
                              nullptr,
                              input.from.scales[0],
                              static_cast<std::int32_t>(input.from.zero_point) + shift_of(type),
                              false,
                              {}});
    strides.push_back(operators::broadcast_strides(builder.shape(input.tensor), shape.size()));
    places.push_back(place);
  }
  for (const Tensor& constant : op.constants) {
    step->operands.push_back({true, {}, constant.data<float>().data(), 1, 0, false, {}});
    strides.push_back(operators::broadcast_strides(constant.shape(), shape.size()));
  }
  Shape extents = shape;
  join_axes(extents, strides);
  step->count = extents.back();
  step->rows = *element_count(shape) / step->count;
  Shape outer(extents.begin(), extents.end() - 1);
  for (std::size_t i = 0; i < step->operands.size(); ++i) {
    step->operands[i].is_one = strides[i].back() == 0;
    operators::Positions at(outer);
    do {
      std::ptrdiff_t offset = 0;
      for (std::size_t axis = 0; axis < outer.size(); ++axis) {
        offset += (*at)[axis] * strides[i][axis];
      }
      step->operands[i].offsets.push_back(offset);
    } while (at.next());
  }
  std::int32_t shift = shift_of(builder.type(op.output));
  step->quantization = {op.to.params.scale, static_cast<std::int32_t>(op.to.params.zero_point) + shift,
                        static_cast<std::uint8_t>(op.to.range.q_min + shift),
                        static_cast<std::uint8_t>(op.to.range.q_max + shift)};
  step->reals = builder.new_scratch(std::ssize(op.steps) * ArithmeticStep::kBlock * 4 +
                                    known * ArithmeticStep::kBlock * 4);
  step->to = builder.new_plain(op.output);
  places.push_back(step->reals);
  places.push_back(step->to);
  step->profile.name = builder.program().tensor(op.output).name;
  step->profile.operation = describe(op);
  step->profile.kernel = step->kernels->name;
  builder.add(std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
