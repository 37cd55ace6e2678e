// Operators of com.microsoft on quantized tensors, and DynamicQuantizeLinear. The type of a result is that of
// its zero point, or of the first operand where that is missing.

#include <fmt/format.h>

#include "graph/geometry.h"
#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

void set_type_by(InferenceContext& context, std::size_t zero_point, std::size_t operand) {
  context.set_type(0, context.type(context.has(zero_point) ? zero_point : operand));
}

}  // namespace

Status dynamic_quantize_linear_shape(InferenceContext& context) {
  context.set(1, ElementType::kFloat32, {});
  context.set(2, ElementType::kUint8, {});
  context.set_type(0, ElementType::kUint8);
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  return wants(context, 0, ElementType::kFloat32);
}

// Inputs: x, x_scale, x_zero_point, y_scale, y_zero_point.
Status qlinear_same_shape(InferenceContext& context) {
  set_type_by(context, 4, 0);
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  return {};
}

// Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, c_scale, c_zero_point.
Status qlinear_binary_shape(InferenceContext& context) {
  set_type_by(context, 7, 0);
  if (context.dims(0) && context.dims(3)) {
    ZP_ASSIGN_OR_RETURN(Dims dims, broadcast(*context.dims(0), *context.dims(3)));
    context.set_dims(0, std::move(dims));
  }
  return {};
}

Status qlinear_pool_shape(InferenceContext& context) {
  ZP_RETURN_IF_ERROR(context.node().op == Op::kQLinearAveragePool ? window_pool_shape(context)
                                                                  : global_pool_shape(context));
  set_type_by(context, 4, 0);
  return {};
}

// Inputs: y_scale, y_zero_point, then x, x_scale, x_zero_point of each.
Status qlinear_concat_shape(InferenceContext& context) {
  if (context.input_count() < 5 || (context.input_count() - 2) % 3 != 0 || !context.has(2)) {
    return Status::invalid_argument(
        fmt::format("it has {} inputs; a scale and a zero point, and three per tensor, are needed",
                    context.input_count()));
  }
  set_type_by(context, 1, 2);
  ZP_ASSIGN_OR_RETURN(std::optional<Dims> dims, joined(context, 2, 3));
  if (dims) {
    context.set_dims(0, std::move(*dims));
  }
  return {};
}

}  // namespace zeropoint::toolchain
