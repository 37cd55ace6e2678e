// Products of two computed tensors.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/layer_rules.h"
#include "engine/steps/mat_mul_step.h"
#include "operators/matmul_geometry.h"

namespace zeropoint::engine {

bool build_mat_mul(Builder& builder, const MatMulOp& op) {
  const auto* multipliers = std::get_if<std::vector<float>>(&op.requantization.multipliers);
  bool bytes = is_byte(builder.type(op.a)) && is_byte(builder.type(op.b)) && is_byte(builder.type(op.output));
  Result<operators::MatMulGeometry> geometry =
      operators::MatMulGeometry::of(builder.shape(op.a), builder.shape(op.b));
  if (multipliers == nullptr || !bytes || !geometry.ok()) {
    return false;
  }
  double most = 65025.0 * static_cast<double>(geometry->k);
  if (most >= 0x1p30 || most * static_cast<double>((*multipliers)[0]) >= 0x1p29) {
    return false;
  }
  auto step = std::make_unique<MatMulStep>();
  step->m = geometry->m;
  step->k = geometry->k;
  step->n = geometry->n;
  geometry->for_each_matrix([&](std::int64_t a, std::int64_t b) { step->matrices.push_back({a, b}); });
  // One matrix for many rows is one product.
  bool shared = std::ranges::all_of(
      step->matrices, [&](const MatMulStep::Matrix& matrix) { return matrix.b == step->matrices[0].b; });
  bool in_order = true;
  for (std::size_t i = 0; i < step->matrices.size(); ++i) {
    in_order = in_order && step->matrices[i].a == static_cast<std::ptrdiff_t>(i) * step->m * step->k;
  }
  if (shared && in_order) {
    step->m *= std::ssize(step->matrices);
    step->matrices.resize(1);
  }
  step->kernel = &kernel_of_any_weights(builder.isa(), {step->m, step->n, 1, step->k});
  step->elementwise = &kernels::elementwise_for(builder.isa());
  step->a_zero_point = static_cast<std::int32_t>(op.a_zero_point) + shift_of(builder.type(op.a));
  step->b_zero_point = static_cast<std::int32_t>(op.b_zero_point) + shift_of(builder.type(op.b)) - 128;
  step->epilogue = requantization_epilogue(op.requantization, shift_of(builder.type(op.output)));
  std::int64_t channels = (step->n + step->kernel->panel - 1) / step->kernel->panel * step->kernel->panel;
  std::int64_t depth = (step->k + step->kernel->unit - 1) / step->kernel->unit * step->kernel->unit;
  step->multipliers.assign(static_cast<std::size_t>(channels), (*multipliers)[0]);
  step->a = builder.padded_plain(op.a);
  step->b = builder.plain(op.b);
  step->output = builder.new_plain(op.output);
  auto count = std::ssize(step->matrices);
  step->packed_bytes = channels * depth;
  step->packed = builder.new_scratch(count * step->packed_bytes);
  step->column_bias = builder.new_scratch(count * channels * 4);
  step->row_bias = builder.new_scratch(count * step->m * 4);
  step->profile.name = builder.program().tensor(op.output).name;
  step->profile.operation = describe(op);
  step->profile.kernel = step->kernel->name;
  step->profile.multiply_adds = step->m * step->k * step->n * std::ssize(step->matrices);
  std::vector<Place> places{step->a, step->b, step->output, step->packed, step->column_bias, step->row_bias};
  builder.add(std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
