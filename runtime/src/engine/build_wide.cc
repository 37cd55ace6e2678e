// Integer operations of any width, where there is no kernel of bytes.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/wide_steps.h"
#include "operators/matmul_geometry.h"

namespace zeropoint::engine {
namespace {

using operators::AlongAxis;

void finish(Builder& builder, const Operation& operation, std::unique_ptr<Step> step,
            const std::vector<Place>& places) {
  step->profile.name = builder.program().tensor(outputs_of(operation)[0]).name;
  step->profile.operation = describe(operation);
  step->profile.kernel = "loops";
  builder.add(std::move(step), places);
}

Integers integers(Builder& builder, TensorId id) { return {builder.exact(id), builder.type(id)}; }
Integers new_integers(Builder& builder, TensorId id) { return {builder.new_exact(id), builder.type(id)}; }

/// Which elements of a tensor have which scale; none where the scales do not fit it.
std::optional<AlongAxis> scales_along(const Shape& shape, const Dequantization& from) {
  if (from.scales.size() == 1) {
    return AlongAxis{1, 1, *element_count(shape)};
  }
  Result<AlongAxis> along = AlongAxis::of(shape, from.axis);
  bool fits = along.ok() && along->extent == std::ssize(from.scales);
  return fits ? std::optional(*along) : std::nullopt;
}

/// Whether both have up to 16 bits.
bool are_short(const Builder& builder, TensorId a, TensorId b) {
  return size_of(builder.type(a)) <= 2 && size_of(builder.type(b)) <= 2;
}

}  // namespace

bool build_wide_quantize(Builder& builder, const QuantizeOp& op) {
  auto step = std::make_unique<WideQuantizeStep>();
  step->from = builder.exact(op.input);
  step->to = new_integers(builder, op.output);
  step->quantization = op.to;
  step->count = *element_count(builder.shape(op.output));
  std::vector<Place> places{step->from, step->to.place};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_wide_dequantize(Builder& builder, const DequantizeOp& op) {
  std::optional<AlongAxis> along = scales_along(builder.shape(op.input), op.from);
  if (!along) {
    return false;  // the reference says what is wrong
  }
  auto step = std::make_unique<WideDequantizeStep>();
  step->from = integers(builder, op.input);
  step->to = builder.new_exact(op.output);
  step->dequantization = op.from;
  step->along = *along;
  std::vector<Place> places{step->from.place, step->to};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_wide_table(Builder& builder, const TableOp& op) {
  if (!are_short(builder, op.input, op.output)) {
    return false;
  }
  std::int64_t count = *element_count(builder.shape(op.input));
  AlongAxis whole{1, 1, count};
  if (op.tables.rank() == 2) {
    Result<AlongAxis> along = AlongAxis::of(builder.shape(op.input), op.axis);
    if (!along.ok() || along->extent != op.tables.dim(0)) {
      return false;
    }
    whole = *along;
  }
  auto step = std::make_unique<WideTableStep>();
  step->from = integers(builder, op.input);
  step->to = new_integers(builder, op.output);
  step->tables = &op.tables;
  step->count = count;
  step->along = whole;
  std::vector<Place> places{step->from.place, step->to.place};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_wide_linear(Builder& builder, const FullyConnectedOp& op) {
  std::int64_t depth = op.layer.weights.dim(1);
  if (depth == 0) {
    return false;
  }
  auto step = std::make_unique<WideLinearStep>();
  step->from = integers(builder, op.input);
  step->steps = builder.new_scratch(4 * depth);
  step->to = new_integers(builder, op.output);
  step->layer = &op.layer;
  step->rows = *element_count(builder.shape(op.input)) / depth;
  step->profile.multiply_adds = step->rows * depth * op.layer.weights.dim(0);
  std::vector<Place> places{step->from.place, step->steps, step->to.place};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_wide_mat_mul(Builder& builder, const MatMulOp& op) {
  Result<operators::MatMulGeometry> geometry =
      operators::MatMulGeometry::of(builder.shape(op.a), builder.shape(op.b));
  if (!geometry.ok()) {
    return false;
  }
  auto step = std::make_unique<WideMatMulStep>();
  step->op = &op;
  step->m = geometry->m;
  step->k = geometry->k;
  step->n = geometry->n;
  geometry->for_each_matrix([&](std::int64_t a, std::int64_t b) { step->matrices.push_back({a, b}); });
  step->a = integers(builder, op.a);
  step->b = integers(builder, op.b);
  step->a_steps = builder.new_scratch(4 * step->k);
  step->b_steps = builder.new_scratch(4 * step->k * step->n);
  step->sums = builder.new_scratch(8 * step->n);
  step->to = new_integers(builder, op.output);
  step->profile.multiply_adds = std::ssize(step->matrices) * step->m * step->k * step->n;
  std::vector<Place> places{step->a.place, step->b.place, step->a_steps,
                            step->b_steps, step->sums,    step->to.place};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_wide_softmax(Builder& builder, const SoftmaxOp& op) {
  if (!are_short(builder, op.input, op.output)) {
    return false;
  }
  Result<AlongAxis> along = AlongAxis::of(builder.shape(op.input), op.axis);
  if (op.logarithm || !along.ok()) {
    return false;
  }
  auto step = std::make_unique<WideSoftmaxStep>();
  step->from = integers(builder, op.input);
  step->to = new_integers(builder, op.output);
  step->op = &op;
  step->along = *along;
  std::vector<Place> places{step->from.place, step->to.place};
  finish(builder, op, std::move(step), places);
  return true;
}

namespace {

/// The stages of an ArithmeticOp over reals in the arena.
class ArithmeticBuilder {
 public:
  ArithmeticBuilder(Builder& builder, const ArithmeticOp& op) : builder_(builder), op_(op) {}

  bool build() {
    if (!take_stages()) {
      return false;
    }
    auto step = std::make_unique<WideArithmeticStep>();
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      const ArithmeticOp::Input& input = op_.inputs[i];
      Place reals = builder_.new_scratch(4 * *element_count(shapes_[i]));
      step->inputs.push_back({integers(builder_, input.tensor), input.from, along_[i], reals});
      step->reals.push_back(reals);
      places_.push_back(step->inputs.back().from.place);
      places_.push_back(reals);
    }
    for (const Tensor& constant : op_.constants) {
      step->reals.push_back(builder_.constant_place(constant));
    }
    std::size_t first = step->reals.size();
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      step->reals.push_back(builder_.new_scratch(4 * *element_count(shapes_[first + i])));
      places_.push_back(step->reals.back());
      step->memory.resize(std::max(step->memory.size(), stages_[i].operands.size()));
    }
    step->stages = std::move(stages_);
    step->to = new_integers(builder_, op_.output);
    step->quantization = op_.to;
    step->count = *element_count(builder_.shape(op_.output));
    places_.push_back(step->to.place);
    finish(builder_, op_, std::move(step), places_);
    return true;
  }

 private:
  bool take_stages() {
    for (const ArithmeticOp::Input& input : op_.inputs) {
      std::optional<AlongAxis> along = scales_along(builder_.shape(input.tensor), input.from);
      if (!along) {
        return false;
      }
      along_.push_back(*along);
      shapes_.push_back(builder_.shape(input.tensor));
    }
    for (const Tensor& constant : op_.constants) {
      if (constant.type() != ElementType::kFloat32 || constant.size() == 0) {
        return false;
      }
      shapes_.push_back(constant.shape());
    }
    return std::ranges::all_of(op_.steps, [&](const ArithmeticOp::Step& step) { return take_stage(step); }) &&
           shapes_.back() == builder_.shape(op_.output);
  }

  bool take_stage(const ArithmeticOp::Step& step) {
    std::vector<Tensor> stand_ins;
    stand_ins.reserve(step.operands.size());
    std::vector<const Tensor*> inputs;
    for (std::int32_t operand : step.operands) {
      auto constant = static_cast<std::size_t>(operand) - op_.inputs.size();
      if (operand < 0) {
        inputs.push_back(nullptr);
      } else if (operand >= std::ssize(op_.inputs) && constant < op_.constants.size() &&
                 op_.constants[constant].size() == 1) {
        inputs.push_back(&op_.constants[constant]);  // perhaps a bound or an exponent
      } else if (step.op == Op::kClip && inputs.size() > 0) {
        return false;
      } else {
        stand_ins.emplace_back(ElementType::kFloat32, Shape{});
        inputs.push_back(&stand_ins.back());
      }
    }
    if (!is_elementwise(step.op) || step.op == Op::kPow || step.op == Op::kPRelu) {
      return false;
    }
    Result<operators::RowForm> form = operators::row_form_of(OperatorCall(step.op, step.attributes, inputs));
    if (!form.ok()) {
      return false;
    }
    WideArithmeticStep::Stage stage{form->kernel, operators::BroadcastWalk({}, {{}, 4}), {}, shapes_.size()};
    std::vector<operators::BroadcastWalk::Operand> operands;
    Shape result;
    for (std::size_t i = 0; i < form->inputs; ++i) {
      if (step.operands[i] < 0) {
        return false;
      }
      auto at = static_cast<std::size_t>(step.operands[i]);
      Result<Shape> broadcast = operators::broadcast_shapes(result, shapes_[at]);
      if (!broadcast.ok()) {
        return false;
      }
      result = *broadcast;
      stage.operands.push_back(at);
      operands.push_back({shapes_[at], 4});
    }
    if (*element_count(result) == 0) {
      return false;
    }
    stage.walk = operators::BroadcastWalk(operands, {result, 4});
    shapes_.push_back(std::move(result));
    stages_.push_back(std::move(stage));
    return true;
  }

  Builder& builder_;
  const ArithmeticOp& op_;
  std::vector<AlongAxis> along_;
  std::vector<Shape> shapes_;  // of inputs, constants and results
  std::vector<WideArithmeticStep::Stage> stages_;
  std::vector<Place> places_;
};

}  // namespace

bool build_wide_arithmetic(Builder& builder, const ArithmeticOp& op) {
  return ArithmeticBuilder(builder, op).build();
}

}  // namespace zeropoint::engine
