// Softmax, normalizations and pools of float32.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/float_row_steps.h"
#include "operators/axes.h"

namespace zeropoint::engine {
namespace {

using operators::AlongAxis;
using operators::axis_in;
using operators::extent_between;

bool are_floats(const Builder& builder, const EvaluateOp& op) {
  auto is_float = [&](TensorId id) { return id != kNoTensor && builder.type(id) == ElementType::kFloat32; };
  return op.outputs.size() == 1 && std::ranges::all_of(op.inputs, is_float) && is_float(op.outputs[0]);
}

void finish(Builder& builder, const EvaluateOp& op, std::unique_ptr<Step> step, std::string_view kernel,
            const std::vector<Place>& places) {
  step->profile.name = builder.program().tensor(op.outputs[0]).name;
  step->profile.operation = describe(op);
  step->profile.kernel = kernel;
  step->profile.in_float = true;
  builder.add(std::move(step), places);
}

}  // namespace

bool build_float_softmax(Builder& builder, const EvaluateOp& op) {
  Result<AlongAxis> along =
      AlongAxis::of(builder.shape(op.inputs[0]), int_attribute(op.op, op.attributes, "axis"));
  if (!are_floats(builder, op) || !along.ok()) {
    return false;
  }
  auto step = std::make_unique<FloatSoftmaxStep>();
  step->kernels = &kernels::float_kernels_for(builder.isa());
  step->outer = along->outer;
  step->extent = along->extent;
  step->inner = along->inner;
  step->logarithm = op.op == Op::kLogSoftmax;
  step->from = builder.exact(op.inputs[0]);
  step->lanes = builder.new_scratch(8 * along->inner);
  step->to = builder.new_exact(op.outputs[0]);
  std::vector<Place> places{step->from, step->lanes, step->to};
  std::string_view kernel = step->kernels->name;
  finish(builder, op, std::move(step), kernel, places);
  return true;
}

bool build_float_layer_normalize(Builder& builder, const EvaluateOp& op) {
  const Shape& shape = builder.shape(op.inputs[0]);
  Result<std::size_t> axis = axis_in(int_attribute(op.op, op.attributes, "axis"), shape);
  if (!are_floats(builder, op) || !axis.ok()) {
    return false;
  }
  std::int64_t count = extent_between(shape, *axis, shape.size());
  for (std::size_t i = 1; i < op.inputs.size(); ++i) {
    if (*element_count(builder.shape(op.inputs[i])) != count) {
      return false;  // broadcast
    }
  }
  auto step = std::make_unique<FloatNormalizeStep>();
  step->kernels = &kernels::float_kernels_for(builder.isa());
  step->count = count;
  step->sets = *element_count(shape) / count;
  step->centers = op.op == Op::kLayerNormalization;
  step->epsilon = static_cast<double>(float_attribute(op.op, op.attributes, "epsilon"));
  step->from = builder.exact(op.inputs[0]);
  step->gain = builder.exact(op.inputs[1]);
  step->has_bias = op.inputs.size() > 2;
  step->bias = step->has_bias ? builder.exact(op.inputs[2]) : step->gain;
  step->to = builder.new_exact(op.outputs[0]);
  std::vector<Place> places{step->from, step->gain, step->bias, step->to};
  std::string_view kernel = step->kernels->name;
  finish(builder, op, std::move(step), kernel, places);
  return true;
}

bool build_float_group_normalize(Builder& builder, const EvaluateOp& op) {
  const Shape& shape = builder.shape(op.inputs[0]);
  if (!are_floats(builder, op) || shape.size() < 2 || op.inputs.size() != 3) {
    return false;
  }
  std::int64_t channels = shape[1];
  std::int64_t groups =
      op.op == Op::kGroupNormalization ? int_attribute(op.op, op.attributes, "num_groups") : channels;
  if (groups < 1 || channels % groups != 0) {
    return false;
  }
  auto step = std::make_unique<FloatNormalizeStep>();
  step->kernels = &kernels::float_kernels_for(builder.isa());
  step->sets = shape[0] * groups;
  step->count = *element_count(shape) / step->sets;
  step->stretch = step->count / (channels / groups);
  step->periods = groups;
  step->epsilon = static_cast<double>(float_attribute(op.op, op.attributes, "epsilon"));
  step->from = builder.exact(op.inputs[0]);
  step->gain = builder.exact(op.inputs[1]);
  step->has_bias = true;
  step->bias = builder.exact(op.inputs[2]);
  step->to = builder.new_exact(op.outputs[0]);
  std::vector<Place> places{step->from, step->gain, step->bias, step->to};
  std::string_view kernel = step->kernels->name;
  finish(builder, op, std::move(step), kernel, places);
  return true;
}

bool build_float_batch_normalize(Builder& builder, const EvaluateOp& op) {
  const Shape& shape = builder.shape(op.inputs[0]);
  if (!are_floats(builder, op) || shape.size() < 2 || op.inputs.size() != 5 ||
      int_attribute(op.op, op.attributes, "training_mode") != 0) {
    return false;
  }
  auto step = std::make_unique<FloatBatchNormalizeStep>();
  step->batch = shape[0];
  step->channels = shape[1];
  step->plane = extent_between(shape, 2, shape.size());
  step->epsilon = static_cast<double>(float_attribute(op.op, op.attributes, "epsilon"));
  step->from = builder.exact(op.inputs[0]);
  step->gain = builder.exact(op.inputs[1]);
  step->bias = builder.exact(op.inputs[2]);
  step->mean = builder.exact(op.inputs[3]);
  step->variance = builder.exact(op.inputs[4]);
  step->to = builder.new_exact(op.outputs[0]);
  std::vector<Place> places{step->from, step->gain, step->bias, step->mean, step->variance, step->to};
  finish(builder, op, std::move(step), "loops", places);
  return true;
}

bool build_float_pool(Builder& builder, const EvaluateOp& op) {
  const Shape& shape = builder.shape(op.inputs[0]);
  if (!are_floats(builder, op) || (shape.size() != 3 && shape.size() != 4)) {
    return false;
  }
  Result<WindowGeometry> window = window_geometry(op.op, op.attributes, shape, {});
  if (!window.ok()) {
    return false;
  }
  auto step = std::make_unique<FloatPoolStep>();
  step->averages = op.op == Op::kAveragePool;
  step->counts_padding = step->averages && int_attribute(op.op, op.attributes, "count_include_pad") != 0;
  step->planes = shape[0] * shape[1];
  step->width = shape.back();
  step->height = shape.size() == 4 ? shape[2] : 1;
  std::size_t last = window->kernel.size() - 1;
  step->column_dilation = window->dilations[last];
  step->rows = {PoolTaps{0, 0, 1, 1}};
  if (last == 1) {
    step->row_dilation = window->dilations[0];
    step->rows.clear();
    for (std::int64_t y = 0; y < window->output[0]; ++y) {
      step->rows.push_back(PoolTaps::of(*window, 0, y));
    }
  }
  for (std::int64_t x = 0; x < window->output[last]; ++x) {
    step->columns.push_back(PoolTaps::of(*window, last, x));
  }
  step->from = builder.exact(op.inputs[0]);
  step->to = builder.new_exact(op.outputs[0]);
  std::vector<Place> places{step->from, step->to};
  finish(builder, op, std::move(step), "loops", places);
  return true;
}

bool build_float_global_mean(Builder& builder, const EvaluateOp& op) {
  const Shape& shape = builder.shape(op.inputs[0]);
  if (!are_floats(builder, op) || shape.size() < 2) {
    return false;
  }
  auto step = std::make_unique<FloatGlobalMeanStep>();
  step->planes = shape[0] * shape[1];
  step->plane = extent_between(shape, 2, shape.size());
  step->from = builder.exact(op.inputs[0]);
  step->to = builder.new_exact(op.outputs[0]);
  std::vector<Place> places{step->from, step->to};
  finish(builder, op, std::move(step), "loops", places);
  return true;
}

}  // namespace zeropoint::engine
