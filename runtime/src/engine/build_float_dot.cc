// Convolutions and products of float32.

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/packed_weights.h"
#include "engine/steps/float_dot_step.h"
#include "operators/convolution.h"
#include "operators/matmul_geometry.h"

namespace zeropoint::engine {
namespace {

using operators::MatMulGeometry;
using operators::product;

bool are_floats(const Builder& builder, const EvaluateOp& op) {
  auto is_float = [&](TensorId id) { return id == kNoTensor || builder.type(id) == ElementType::kFloat32; };
  return std::ranges::all_of(op.inputs, is_float) && std::ranges::all_of(op.outputs, is_float);
}

bool has_input(const EvaluateOp& op, std::size_t i) {
  return i < op.inputs.size() && op.inputs[i] != kNoTensor;
}

/// The operation that alone reads `id`, as an evaluation.
const EvaluateOp* only_reader(const Builder& builder, TensorId id) {
  if (builder.is_output(id) || builder.readers(id).size() != 1) {
    return nullptr;
  }
  return std::get_if<EvaluateOp>(&builder.program().operations[builder.readers(id)[0]]);
}

/// A constant of one float32 element.
std::optional<float> scalar(const Builder& builder, TensorId id) {
  const Tensor* constant = builder.constant(id);
  bool one = constant != nullptr && constant->type() == ElementType::kFloat32 && constant->size() == 1;
  return one ? std::optional(constant->data<float>()[0]) : std::nullopt;
}

/// Takes a Relu or Clip behind `id` into the epilogue; gives the tensor that the step makes then.
TensorId clamp_behind(Builder& builder, TensorId id, FloatEpilogue& epilogue, std::string& operation) {
  const EvaluateOp* next = only_reader(builder, id);
  bool fits = next != nullptr && (next->op == Op::kRelu || next->op == Op::kClip) &&
              next->outputs.size() == 1 && next->outputs[0] != kNoTensor;
  if (!fits || !builder.is_static(next->outputs[0])) {
    return id;
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float low = next->op == Op::kRelu ? 0.0F : -kInfinity;
  float high = kInfinity;
  for (std::size_t i = 1; i < next->inputs.size(); ++i) {
    if (next->inputs[i] != kNoTensor) {
      std::optional<float> bound = scalar(builder, next->inputs[i]);
      if (!bound || std::isnan(*bound)) {
        return id;
      }
      (i == 1 ? low : high) = *bound;
    }
  }
  epilogue.clamps = true;
  epilogue.low = low;
  epilogue.high = high;
  operation += " + " + std::string(name_of(next->op));
  builder.mark_made(next->outputs[0]);
  return next->outputs[0];
}

/// Takes an addition of a constant per column behind `id` into the epilogue.
TensorId bias_behind(Builder& builder, TensorId id, std::int64_t columns, FloatEpilogue& epilogue,
                     std::string& operation) {
  const EvaluateOp* next = only_reader(builder, id);
  if (next == nullptr || next->op != Op::kAdd || next->inputs.size() != 2 || next->outputs.size() != 1 ||
      next->outputs[0] == kNoTensor || !builder.is_static(next->outputs[0])) {
    return id;
  }
  TensorId other = next->inputs[next->inputs[0] == id ? 1 : 0];
  const Tensor* bias = other == kNoTensor || other == id ? nullptr : builder.constant(other);
  bool fits = bias != nullptr && bias->type() == ElementType::kFloat32 && bias->shape() == Shape{columns} &&
              builder.shape(next->outputs[0]) == builder.shape(id);
  if (!fits) {
    return id;
  }
  epilogue.column_bias = bias->data<float>().data();
  operation += " + Add";
  builder.mark_made(next->outputs[0]);
  return next->outputs[0];
}

void finish(Builder& builder, std::unique_ptr<Step> step, TensorId made, std::string_view kernel,
            const std::vector<Place>& places) {
  step->profile.name = builder.program().tensor(made).name;
  step->profile.kernel = kernel;
  step->profile.in_float = true;
  builder.add(std::move(step), places);
}

/// A matrix [k, n] of constants, its elements `row` and `column` apart.
struct Right {
  TensorId id;
  std::int64_t k, n;
  std::ptrdiff_t row, column;
};

std::shared_ptr<const FloatWeights> packed(Builder& builder, std::size_t operation, const Right& right) {
  return builder.layers().get<FloatWeights>({operation, nullptr, right.k, right.n}, [&] {
    auto weights = std::make_shared<FloatWeights>();
    weights->panels.resize(static_cast<std::size_t>(kernels::float_panels_size(right.k, right.n)));
    kernels::pack_float_panels(builder.constant(right.id)->data<float>().data(), right.k, right.n, right.row,
                               right.column, weights->panels.data());
    return weights;
  });
}

/// [rows, k] by constant weights; an addition and a clamp that follow are made with it.
void add_linear(Builder& builder, const EvaluateOp& op, std::shared_ptr<const FloatWeights> weights,
                std::int64_t rows, std::int64_t depth, std::int64_t columns, FloatEpilogue epilogue) {
  auto step = std::make_unique<FloatLinearStep>();
  step->kernel = &kernels::float_dot_for(builder.isa());
  step->weights = std::move(weights);
  step->rows = rows;
  step->depth = depth;
  step->columns = columns;
  step->input = builder.exact(op.inputs[0]);
  step->profile.operation = describe(op);
  step->profile.multiply_adds = rows * depth * columns;
  TensorId made = op.outputs[0];
  if (epilogue.column_bias == nullptr) {
    made = bias_behind(builder, made, columns, epilogue, step->profile.operation);
  }
  made = clamp_behind(builder, made, epilogue, step->profile.operation);
  step->epilogue = epilogue;
  step->output = builder.new_exact(made);
  std::vector<Place> places{step->input, step->output};
  std::string_view kernel = step->kernel->name;
  finish(builder, std::move(step), made, kernel, places);
}

/// The same by a matrix that a run computes.
void add_mat_mul(Builder& builder, const EvaluateOp& op, std::unique_ptr<FloatMatMulStep> step,
                 FloatEpilogue epilogue) {
  step->kernel = &kernels::float_dot_for(builder.isa());
  step->a = builder.exact(op.inputs[0]);
  step->b = builder.exact(op.inputs[1]);
  step->panels = builder.new_scratch(4 * kernels::float_panels_size(step->k, step->n));
  step->profile.operation = describe(op);
  step->profile.multiply_adds = step->m * step->k * step->n * std::ssize(step->matrices);
  TensorId made = clamp_behind(builder, op.outputs[0], epilogue, step->profile.operation);
  step->epilogue = epilogue;
  step->output = builder.new_exact(made);
  std::vector<Place> places{step->a, step->b, step->panels, step->output};
  std::string_view kernel = step->kernel->name;
  finish(builder, std::move(step), made, kernel, places);
}

/// How the taps along an axis of a window see it.
struct AxisTaps {
  std::int64_t input, output, stride, dilation, pad;

  AxisTaps(const WindowGeometry& window, std::size_t i)
      : input(window.input[i]),
        output(window.output[i]),
        stride(window.strides[i]),
        dilation(window.dilations[i]),
        pad(window.pads_begin[i]) {}

  [[nodiscard]] std::int64_t at(std::int64_t position, std::int64_t tap) const {
    return position * stride + tap * dilation - pad;
  }
};

FloatConvStep::Column column_of(const AxisTaps& axis, std::int64_t tap) {
  FloatConvStep::Column column{0, 0, axis.at(0, tap)};
  auto inside = [&](std::int64_t position) {
    std::int64_t at = axis.at(position, tap);
    return at >= 0 && at < axis.input;
  };
  while (column.begin < axis.output && !inside(column.begin)) {
    ++column.begin;
  }
  column.end = column.begin;
  while (column.end < axis.output && inside(column.end)) {
    ++column.end;
  }
  return column;
}

/// The offsets of the rows of the input that the taps along all axes but the last see.
void set_rows(const WindowGeometry& window, FloatConvStep& step) {
  Shape taps(window.kernel.begin(), window.kernel.end() - 1);
  Shape outputs(window.output.begin(), window.output.end() - 1);
  step.outer_taps = product(taps);
  step.out_rows = product(outputs);
  operators::Positions tap(taps);
  do {
    operators::Positions at(outputs);
    do {
      std::int64_t offset = 0;
      for (std::size_t i = 0; i < taps.size() && offset >= 0; ++i) {
        std::int64_t x = AxisTaps(window, i).at((*at)[i], (*tap)[i]);
        offset = x < 0 || x >= window.input[i] ? -1 : offset * window.input[i] + x;
      }
      step.rows.push_back(offset < 0 ? -1 : offset * window.input.back());
    } while (at.next());
  } while (tap.next());
}

bool is_depthwise(const operators::Convolution& convolution) {
  const WindowGeometry& window = convolution.window;
  auto negative = [](std::int64_t pad) { return pad < 0; };
  return convolution.w[1] == 1 && convolution.group > 1 && window.kernel.size() == 2 &&
         std::ranges::none_of(window.pads_begin, negative);
}

/// What the two steps of convolutions read.
template <typename ConvStep>
void set_operands(Builder& builder, const EvaluateOp& op, ConvStep& step) {
  step.input = builder.exact(op.inputs[0]);
  step.weights = builder.exact(op.inputs[1]);
  step.has_bias = has_input(op, 2);
  step.bias = step.has_bias ? builder.exact(op.inputs[2]) : Place();
}

/// A clamp behind it, its output, and the step itself.
template <typename ConvStep>
void finish_conv(Builder& builder, const EvaluateOp& op, std::unique_ptr<ConvStep> step, Place scratch,
                 std::string_view kernel) {
  TensorId made = clamp_behind(builder, op.outputs[0], step->epilogue, step->profile.operation);
  step->output = builder.new_exact(made);
  std::vector<Place> places{step->input, step->weights, scratch, step->output};
  if (step->has_bias) {
    places.push_back(step->bias);
  }
  finish(builder, std::move(step), made, kernel, places);
}

void add_depthwise(Builder& builder, const EvaluateOp& op, const operators::Convolution& convolution) {
  const WindowGeometry& window = convolution.window;
  auto step = std::make_unique<FloatDepthwiseStep>();
  step->kernels = &kernels::float_kernels_for(builder.isa());
  step->batch = convolution.x[0];
  step->channels = convolution.x[1];
  step->multiplier = convolution.w[0] / convolution.group;
  step->height = window.input[0];
  step->width = window.input[1];
  step->out_height = window.output[0];
  step->out_width = window.output[1];
  step->top = window.pads_begin[0];
  step->left = window.pads_begin[1];
  step->stride_h = window.strides[0];
  step->stride_w = window.strides[1];
  step->padded_height =
      (step->out_height - 1) * step->stride_h + (window.kernel[0] - 1) * window.dilations[0] + 1;
  step->padded_width =
      (step->out_width - 1) * step->stride_w + (window.kernel[1] - 1) * window.dilations[1] + 1;
  for (std::int64_t y = 0; y < window.kernel[0]; ++y) {
    for (std::int64_t x = 0; x < window.kernel[1]; ++x) {
      step->taps.push_back(y * window.dilations[0] * step->padded_width + x * window.dilations[1]);
    }
  }
  std::int64_t parts = builder.parts_of(step->batch * step->channels);
  set_operands(builder, op, *step);
  step->padded = builder.new_scratch(4 * parts * step->padded_height * step->padded_width);
  step->profile.operation = describe(op);
  step->profile.multiply_adds = product(convolution.shape) * std::ssize(step->taps);
  Place scratch = step->padded;
  std::string_view kernel = step->kernels->name;
  finish_conv(builder, op, std::move(step), scratch, kernel);
}

}  // namespace

bool build_float_conv(Builder& builder, const EvaluateOp& op) {
  if (!are_floats(builder, op)) {
    return false;
  }
  const Tensor x = Tensor::borrow(ElementType::kFloat32, builder.shape(op.inputs[0]), nullptr);
  const Tensor w = Tensor::borrow(ElementType::kFloat32, builder.shape(op.inputs[1]), nullptr);
  const Tensor* inputs[] = {&x, &w};
  Result<operators::Convolution> convolution =
      operators::Convolution::of(OperatorCall(op.op, op.attributes, inputs), x.shape(), w.shape());
  if (!convolution.ok() || (has_input(op, 2) && builder.shape(op.inputs[2]) != Shape{w.dim(0)})) {
    return false;  // the reference says what is wrong
  }
  if (is_depthwise(*convolution)) {
    add_depthwise(builder, op, *convolution);
    return true;
  }
  const WindowGeometry& window = convolution->window;
  auto step = std::make_unique<FloatConvStep>();
  step->kernel = &kernels::float_dot_for(builder.isa());
  step->batch = x.dim(0);
  step->group = convolution->group;
  step->in_channels = w.dim(1);
  step->out_channels = w.dim(0) / convolution->group;
  step->in_plane = product(window.input);
  step->out_plane = product(window.output);
  step->out_width = window.output.back();
  step->stride = window.strides.back();
  AxisTaps last(window, window.kernel.size() - 1);
  for (std::int64_t tap = 0; tap < window.kernel.back(); ++tap) {
    step->columns.push_back(column_of(last, tap));
  }
  set_rows(window, *step);
  std::int64_t blocks = (step->out_plane + FloatConvStep::kPositions - 1) / FloatConvStep::kPositions;
  std::int64_t parts = builder.parts_of(step->batch * step->group * blocks);
  set_operands(builder, op, *step);
  step->patches = builder.new_scratch(4 * parts * FloatConvStep::kPositions * step->depth());
  step->profile.operation = describe(op);
  step->profile.multiply_adds = product(convolution->shape) * step->depth();
  Place scratch = step->patches;
  std::string_view kernel = step->kernel->name;
  finish_conv(builder, op, std::move(step), scratch, kernel);
  return true;
}

bool build_float_mat_mul(Builder& builder, std::size_t i, const EvaluateOp& op) {
  Result<MatMulGeometry> geometry =
      MatMulGeometry::of(builder.shape(op.inputs[0]), builder.shape(op.inputs[1]));
  if (!are_floats(builder, op) || !geometry.ok()) {
    return false;
  }
  auto step = std::make_unique<FloatMatMulStep>();
  step->m = geometry->m;
  step->k = geometry->k;
  step->n = geometry->n;
  step->b_row = step->n;
  step->b_column = 1;
  geometry->for_each_matrix([&](std::int64_t a, std::int64_t b) { step->matrices.push_back({a, b}); });
  // One matrix for many rows is one product.
  bool shared = std::ranges::all_of(step->matrices,
                                    [&](const auto& matrices) { return matrices.b == step->matrices[0].b; });
  bool in_order = true;
  for (std::size_t j = 0; j < step->matrices.size(); ++j) {
    in_order = in_order && step->matrices[j].a == static_cast<std::ptrdiff_t>(j) * step->m * step->k;
  }
  if (shared && in_order) {
    step->m *= std::ssize(step->matrices);
    step->matrices.resize(1);
  }
  const EvaluateOp* maker = builder.maker(op.inputs[1]);
  std::optional<DequantizedMatrix> integers =
      maker == nullptr || builder.constant(op.inputs[1]) != nullptr
          ? std::nullopt
          : dequantized_matrix(builder.program(), *maker, builder.readers(op.inputs[1]));
  if (integers) {
    add_linear(builder, op,
               builder.layers().get<FloatWeights>({i, nullptr, step->k, step->n},
                                                  [&] { return pack_integers(*integers); }),
               step->m, step->k, step->n, {});
    return true;
  }
  if (step->matrices.size() == 1 && builder.constant(op.inputs[1]) != nullptr) {
    add_linear(builder, op, packed(builder, i, {op.inputs[1], step->k, step->n, step->n, 1}), step->m,
               step->k, step->n, {});
  } else {
    add_mat_mul(builder, op, std::move(step), {});
  }
  return true;
}

bool build_float_gemm(Builder& builder, std::size_t i, const EvaluateOp& op) {
  auto is_one = [&](std::string_view name) { return float_attribute(op.op, op.attributes, name) == 1.0F; };
  bool plain = are_floats(builder, op) && int_attribute(op.op, op.attributes, "transA") == 0 &&
               is_one("alpha") && is_one("beta");
  if (!plain) {
    return false;
  }
  const Shape& b = builder.shape(op.inputs[1]);
  bool transposed = int_attribute(op.op, op.attributes, "transB") != 0;
  std::int64_t rows = builder.shape(op.inputs[0])[0];
  std::int64_t k = b[transposed ? 1 : 0];
  std::int64_t n = b[transposed ? 0 : 1];
  Right right{op.inputs[1], k, n, transposed ? 1 : n, transposed ? k : 1};
  FloatEpilogue epilogue;
  if (has_input(op, 2)) {
    const Tensor* bias = builder.constant(op.inputs[2]);
    if (bias == nullptr || bias->size() != n || bias->rank() < 1 || bias->dim(-1) != n) {
      return false;
    }
    epilogue.column_bias = bias->data<float>().data();
  }
  if (builder.constant(right.id) != nullptr) {
    add_linear(builder, op, packed(builder, i, right), rows, k, n, epilogue);
    return true;
  }
  auto step = std::make_unique<FloatMatMulStep>();
  step->m = rows;
  step->k = k;
  step->n = n;
  step->b_row = right.row;
  step->b_column = right.column;
  step->matrices = {{0, 0}};
  add_mat_mul(builder, op, std::move(step), epilogue);
  return true;
}

}  // namespace zeropoint::engine
