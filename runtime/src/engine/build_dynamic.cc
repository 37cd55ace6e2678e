// Activations that are quantized by ranges of their own run.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/layer_rules.h"
#include "engine/steps/dynamic_steps.h"

namespace zeropoint::engine {
namespace {

void finish(Builder& builder, const EvaluateOp& op, std::unique_ptr<Step> step, std::string_view kernel,
            const std::vector<Place>& places) {
  step->profile.name = builder.program().tensor(op.outputs[0]).name;
  step->profile.operation = describe(op);
  step->profile.kernel = kernel;
  builder.add(std::move(step), places);
}

/// The weights' own zero points, where they are not all 0.
bool has_weight_zero(const Builder& builder, const EvaluateOp& op) {
  if (op.inputs.size() < 4 || op.inputs[3] == kNoTensor) {
    return false;
  }
  const Tensor* zeros = builder.constant(op.inputs[3]);
  return zeros == nullptr || std::any_of(zeros->bytes(), zeros->bytes() + zeros->byte_size(),
                                         [](std::byte zero) { return zero != std::byte{0}; });
}

}  // namespace

bool build_dynamic_quantize(Builder& builder, const EvaluateOp& op) {
  bool all = op.outputs.size() == 3 && std::ranges::find(op.outputs, kNoTensor) == op.outputs.end();
  if (!all || builder.type(op.inputs[0]) != ElementType::kFloat32) {
    return false;
  }
  auto step = std::make_unique<DynamicQuantizeStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  step->count = *element_count(builder.shape(op.inputs[0]));
  step->from = builder.exact(op.inputs[0]);
  step->to = builder.new_plain(op.outputs[0]);
  step->scale = builder.new_exact(op.outputs[1]);
  step->zero_point = builder.new_exact(op.outputs[2]);
  std::vector<Place> places{step->from, step->to, step->scale, step->zero_point};
  std::string_view kernel = step->kernels->name;
  finish(builder, op, std::move(step), kernel, places);
  return true;
}

bool build_mat_mul_integer(Builder& builder, std::size_t i, const EvaluateOp& op) {
  TensorId rows = op.inputs[0];
  const Tensor* weights = builder.constant(op.inputs[1]);
  bool has_zero = op.inputs.size() > 2 && op.inputs[2] != kNoTensor;
  constexpr std::int64_t kMostDepth = 32768;  // whose sums of bytes stay in int32
  bool fits = weights != nullptr && weights->type() == ElementType::kInt8 && weights->rank() == 2 &&
              weights->dim(0) <= kMostDepth && is_byte(builder.type(rows)) && !builder.shape(rows).empty() &&
              (!has_zero || *element_count(builder.shape(op.inputs[2])) == 1) &&
              !has_weight_zero(builder, op);
  if (!fits) {
    return false;
  }
  auto step = std::make_unique<MatMulIntegerStep>();
  step->depth = weights->dim(0);
  step->columns = weights->dim(1);
  step->rows = *element_count(builder.shape(rows)) / step->depth;
  step->shift = shift_of(builder.type(rows));
  step->kernel = &kernel_of_any_weights(builder.isa(), {step->rows, step->columns, 1, step->depth});
  step->weights = builder.layers().get<IntegerWeights>({i, step->kernel, step->depth, step->columns}, [&] {
    auto made = std::make_shared<IntegerWeights>();
    std::int64_t panel = step->kernel->panel;
    made->sums.resize(static_cast<std::size_t>((step->columns + panel - 1) / panel * panel));
    std::vector<std::int8_t> by_column;
    for (std::int64_t c = 0; c < step->columns; ++c) {
      for (std::int64_t k = 0; k < step->depth; ++k) {
        std::int8_t w = weights->data<std::int8_t>()[static_cast<std::size_t>(k * step->columns + c)];
        by_column.push_back(w);
        made->sums[static_cast<std::size_t>(c)] += w;
      }
    }
    made->packed = kernels::pack_dot(by_column, step->columns, 1, step->depth, panel, step->kernel->unit);
    return made;
  });
  step->has_zero_point = has_zero;
  step->input = builder.padded_plain(rows);
  step->zero_point = has_zero ? builder.exact(op.inputs[2]) : step->input;
  step->bias = builder.new_scratch(4 * std::ssize(step->weights->sums));
  step->output = builder.new_exact(op.outputs[0]);
  step->profile.multiply_adds = step->rows * step->depth * step->columns;
  std::vector<Place> places{step->input, step->zero_point, step->bias, step->output};
  std::string_view kernel = step->kernel->name;
  finish(builder, op, std::move(step), kernel, places);
  return true;
}

}  // namespace zeropoint::engine
