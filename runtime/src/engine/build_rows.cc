// Functions of rows: softmax, normalizations, a table for each channel, sums of tensors that are broadcast.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/fuse_add.h"
#include "engine/steps/row_steps.h"
#include "operators/axes.h"
#include "operators/move_elements.h"
#include "operators/window_taps.h"

namespace zeropoint::engine {
namespace {

template <typename StepType>
void finish(Builder& builder, const Operation& operation, std::unique_ptr<StepType> step,
            const std::vector<Place>& places) {
  step->profile.name = builder.program().tensor(outputs_of(operation)[0]).name;
  step->profile.operation = describe(operation);
  step->profile.kernel = step->kernels->name;
  builder.add(std::move(step), places);
}

kernels::QuantizeParams quantization_of(const Builder& builder, const Quantization& to, TensorId output) {
  std::int32_t shift = shift_of(builder.type(output));
  return {to.params.scale, static_cast<std::int32_t>(to.params.zero_point) + shift,
          static_cast<std::uint8_t>(to.range.q_min + shift),
          static_cast<std::uint8_t>(to.range.q_max + shift)};
}

bool are_bytes(const Builder& builder, TensorId input, TensorId output) {
  return is_byte(builder.type(input)) && is_byte(builder.type(output));
}

}  // namespace

bool build_softmax(Builder& builder, const SoftmaxOp& op) {
  const Shape& shape = builder.shape(op.input);
  std::int64_t rank = std::ssize(shape);
  std::int64_t axis = op.axis + (op.axis < 0 ? rank : 0);
  bool last = axis >= 0 && axis < rank &&
              operators::extent_between(shape, static_cast<std::size_t>(axis) + 1, shape.size()) == 1;
  if (!are_bytes(builder, op.input, op.output) || op.logarithm || !last || op.exponentials.size() != 256) {
    return false;
  }
  auto step = std::make_unique<SoftmaxStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  for (std::int64_t e : op.exponentials) {
    step->exponentials.push_back(static_cast<std::int32_t>(e));  // at most 2^30
  }
  step->quantization = quantization_of(builder, op.to, op.output);
  step->count = shape[static_cast<std::size_t>(axis)];
  step->rows = *element_count(shape) / step->count;
  step->from = builder.plain(op.input);
  step->to = builder.new_plain(op.output);
  std::vector<Place> places{step->from, step->to};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_normalize(Builder& builder, const NormalizeOp& op) {
  const Shape& shape = builder.shape(op.input);
  Result<std::size_t> axis = operators::axis_in(op.axis, shape);
  if (!are_bytes(builder, op.input, op.output) || op.kind == NormalizeOp::Kind::kGroup || !axis.ok()) {
    return false;
  }
  std::int64_t count = operators::extent_between(shape, *axis, shape.size());
  auto fit = [&](const std::vector<float>& list) { return list.size() == 1 || std::ssize(list) == count; };
  if (!fit(op.gain) || !fit(op.bias)) {
    return false;  // the reference says what is wrong
  }
  auto step = std::make_unique<NormalizeStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  for (std::int64_t i = 0; i < count; ++i) {
    auto at = static_cast<std::size_t>(i);
    step->gain.push_back(static_cast<double>(op.gain[op.gain.size() == 1 ? 0 : at]));
    step->bias.push_back(static_cast<double>(op.bias[op.bias.size() == 1 ? 0 : at]));
  }
  step->params.centers = op.kind == NormalizeOp::Kind::kLayer;
  step->params.zero_point = static_cast<std::int32_t>(op.from.zero_point) + shift_of(builder.type(op.input));
  step->params.scale = static_cast<double>(op.from.scale);
  step->params.epsilon = static_cast<double>(op.epsilon);
  step->params.to = quantization_of(builder, op.to, op.output);
  step->count = count;
  step->rows = *element_count(shape) / count;
  step->from = builder.plain(op.input);
  step->to = builder.new_plain(op.output);
  std::vector<Place> places{step->from, step->to};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_channel_table(Builder& builder, const TableOp& op) {
  const Shape& shape = builder.shape(op.input);
  Result<operators::AlongAxis> along = operators::AlongAxis::of(shape, op.axis);
  if (!are_bytes(builder, op.input, op.output) || op.tables.rank() != 2 || op.tables.dim(1) != 256 ||
      !along.ok() || along->inner != 1 || along->extent != op.tables.dim(0)) {
    return false;
  }
  auto step = std::make_unique<ChannelTableStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  visit_integer(op.tables.type(), [&](auto element) {
    for (auto entry : op.tables.data<decltype(element)>()) {
      step->tables.push_back(
          static_cast<std::uint8_t>(static_cast<std::int32_t>(entry) + shift_of(builder.type(op.output))));
    }
  });
  step->count = along->extent;
  step->rows = along->outer;
  step->from = builder.plain(op.input);
  step->to = builder.new_plain(op.output);
  std::vector<Place> places{step->from, step->to};
  finish(builder, op, std::move(step), places);
  return true;
}

bool build_broadcast_add(Builder& builder, const AddOp& op) {
  const Shape& shape = builder.shape(op.output);
  if (!is_tame(builder, op) || shape.empty()) {
    return false;
  }
  auto step = std::make_unique<BroadcastAddStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  set_addition(builder, op, op.a, step->epilogue);
  step->count = shape.back();
  Shape a_strides = operators::broadcast_strides(builder.shape(op.a), shape.size());
  Shape b_strides = operators::broadcast_strides(builder.shape(op.b), shape.size());
  step->a_is_one = a_strides.back() == 0 && step->count > 1;
  step->b_is_one = b_strides.back() == 0 && step->count > 1;
  Shape outer(shape.begin(), shape.end() - 1);
  operators::Positions at(outer);
  do {
    BroadcastAddStep::Row row{0, 0};
    for (std::size_t i = 0; i < outer.size(); ++i) {
      row.a += (*at)[i] * a_strides[i];
      row.b += (*at)[i] * b_strides[i];
    }
    step->rows.push_back(row);
  } while (at.next());
  if (step->a_is_one && step->b_is_one) {
    return false;
  }
  step->a = builder.plain(op.a);
  step->b = builder.plain(op.b);
  step->to = builder.new_plain(op.output);
  step->expanded = builder.new_scratch(
      step->a_is_one || step->b_is_one ? builder.parts_of(std::ssize(step->rows)) * step->count : 0);
  std::vector<Place> places{step->a, step->b, step->to, step->expanded};
  finish(builder, op, std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
