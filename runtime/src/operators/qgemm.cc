// com.microsoft QGemm: acc = A' B' + C in int32, where A' and B' are centred and may be transposed, and C has
// scale alpha * S_a * S_b; requantized to y, or without y_scale as float32 alpha * S_a * S_b * acc. Inputs:
// a, a_scale, a_zero_point, b, b_scale, b_zero_point, c, y_scale, y_zero_point.

#include "operators/broadcast.h"
#include "operators/integer_operand.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// A matrix [rows, columns] or, transposed, [columns, rows].
struct View {
  std::int64_t rows, columns, row_step, column_step;

  View(const Shape& shape, bool transposed)
      : rows(shape[transposed ? 1 : 0]),
        columns(shape[transposed ? 0 : 1]),
        row_step(transposed ? 1 : shape[1]),
        column_step(transposed ? shape[1] : 1) {}
};

/// C as int32, broadcast to the shape of the product; zeros where it is missing.
Result<Tensor> addend(const OperatorCall& call, const Shape& shape) {
  Tensor sums(ElementType::kInt32, shape);
  if (!call.has(6)) {
    return sums;
  }
  const Tensor& c = call.input(6);
  Result<Shape> together = broadcast_shapes(c.shape(), shape);
  if (c.type() != ElementType::kInt32 || !together.ok() || *together != shape) {
    return Status::invalid_argument("bias ", name_of(c.type()), c.shape(), " does not fit the product ",
                                    shape);
  }
  const Tensor* inputs[] = {&c};
  broadcast_rows(inputs, sums, [](std::span<const std::byte* const> in, std::byte* out, std::int64_t count) {
    std::copy_n(in[0], static_cast<std::size_t>(count) * sizeof(std::int32_t), out);
  });
  return sums;
}

}  // namespace

Result<std::vector<Tensor>> qgemm(const OperatorCall& call) {
  if (call.input(0).rank() != 2 || call.input(3).rank() != 2) {
    return Status::invalid_argument("its inputs must be matrices");
  }
  bool turned = call.int_attribute("transB") != 0;
  View a(call.input(0).shape(), call.int_attribute("transA") != 0);
  View b(call.input(3).shape(), turned);
  if (a.columns != b.rows) {
    return Status::invalid_argument("matrices ", call.input(0).shape(), " and ", call.input(3).shape(),
                                    " cannot be multiplied");
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> left, centred(call, 0, 2, 0));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> right, centred(call, 3, 5, turned ? 0 : 1));
  ZP_ASSIGN_OR_RETURN(std::vector<float> a_scale, scales_of(call, 1, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<float> b_scales, scales_of(call, 4, b.columns));
  float scale = call.float_attribute("alpha") * a_scale[0];
  bool is_float = !call.has(7);
  QuantizedResult result{{1, 0}, ElementType::kFloat32};
  Requantizer requantized;
  if (!is_float) {
    ZP_ASSIGN_OR_RETURN(result, QuantizedResult::of(call, 7, 8, call.input(0).type()));
    ZP_ASSIGN_OR_RETURN(requantized, Requantizer::of(scale, b_scales, result));
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(result.type, {a.rows, b.columns}));
  ZP_ASSIGN_OR_RETURN(Tensor sums, addend(call, y.shape()));
  for (std::int64_t i = 0; i < y.size(); ++i) {
    std::int64_t row = i / b.columns;
    std::int64_t column = i % b.columns;
    std::int64_t sum = sums.data<std::int32_t>()[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < a.columns; ++k) {
      sum += std::int64_t{left[static_cast<std::size_t>(row * a.row_step + k * a.column_step)]} *
             right[static_cast<std::size_t>(k * b.row_step + column * b.column_step)];
    }
    if (is_float) {
      y.data<float>()[static_cast<std::size_t>(i)] = static_cast<float>(static_cast<std::int32_t>(sum)) *
                                                     (scale * b_scales[static_cast<std::size_t>(column)]);
    } else {
      store(y, i, requantized(sum, column));
    }
  }
  return one(std::move(y));
}

}  // namespace zeropoint::operators
