// Products of quantized matrices, accumulated in int32: ONNX MatMulInteger and QLinearMatMul; com.microsoft
// MatMulIntegerToFloat and DynamicQuantizeMatMul. Zero points and scales are one for all or, for b, one per
// column; a's zero points may also be one per row. Accumulators beyond int32 wrap.

#include "operators/apply.h"
#include "operators/integer_operand.h"
#include "operators/matmul_geometry.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// (a - a_zero_point) (b - b_zero_point) of the inputs at these positions.
struct Product {
  MatMulGeometry geometry;
  std::vector<std::int32_t> a;
  std::vector<std::int32_t> b;

  static Result<Product> of(const OperatorCall& call, std::size_t a, std::size_t a_zero, std::size_t b,
                            std::size_t b_zero) {
    ZP_ASSIGN_OR_RETURN(MatMulGeometry geometry,
                        MatMulGeometry::of(call.input(a).shape(), call.input(b).shape()));
    ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> left, centred(call, a, a_zero, -2));
    ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> right, centred(call, b, b_zero, -1));
    return Product{std::move(geometry), std::move(left), std::move(right)};
  }

  /// Calls store(i, column, accumulator) for each element i in order.
  template <typename Store>
  void for_each(Store&& store) const {
    geometry.for_each([&](std::int64_t i, std::int64_t row, std::int64_t column) {
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < geometry.k; ++k) {
        sum += std::int64_t{a[static_cast<std::size_t>(row + k)]} *
               b[static_cast<std::size_t>(column + k * geometry.n)];
      }
      store(i, i % geometry.n, static_cast<std::int32_t>(sum));
    });
  }
};

}  // namespace

Result<std::vector<Tensor>> matmul_integer(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(Product product, Product::of(call, 0, 2, 1, 3));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(ElementType::kInt32, product.geometry.shape));
  std::int32_t* out = y.data<std::int32_t>().data();
  product.for_each([&](std::int64_t i, std::int64_t /*column*/, std::int32_t sum) { out[i] = sum; });
  return one(std::move(y));
}

Result<std::vector<Tensor>> qlinear_matmul(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(Product product, Product::of(call, 0, 2, 3, 5));
  ZP_ASSIGN_OR_RETURN(std::vector<float> a_scale, scales_of(call, 1, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<float> b_scales, scales_of(call, 4, product.geometry.n));
  ZP_ASSIGN_OR_RETURN(QuantizedResult result, QuantizedResult::of(call, 6, 7, call.input(0).type()));
  ZP_ASSIGN_OR_RETURN(Requantizer requantized, Requantizer::of(a_scale[0], b_scales, result));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(result.type, product.geometry.shape));
  product.for_each(
      [&](std::int64_t i, std::int64_t column, std::int32_t sum) { store(y, i, requantized(sum, column)); });
  return one(std::move(y));
}

// y = acc * S_a * S_b [+ bias], float32. Inputs: a, b, a_scale, b_scale, a_zero_point, b_zero_point, bias.
Result<std::vector<Tensor>> matmul_integer_to_float(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(Product product, Product::of(call, 0, 4, 1, 5));
  ZP_ASSIGN_OR_RETURN(std::vector<float> a_scale, scales_of(call, 2, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<float> scales, scales_of(call, 3, product.geometry.n));
  std::vector<float> bias(scales.size(), 0.0F);
  if (call.has(6)) {
    ZP_ASSIGN_OR_RETURN(bias, scales_of(call, 6, product.geometry.n));
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(ElementType::kFloat32, product.geometry.shape));
  float* out = y.data<float>().data();
  product.for_each([&](std::int64_t i, std::int64_t column, std::int32_t sum) {
    auto j = static_cast<std::size_t>(column);
    out[i] = static_cast<float>(sum) * (a_scale[0] * scales[j]) + bias[j];
  });
  return one(std::move(y));
}

// The same of float32 a, quantized by DynamicQuantizeLinear. Inputs: a, b, b_scale, b_zero_point, bias.
Result<std::vector<Tensor>> dynamic_quantize_matmul(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> a,
                      apply(Op::kDynamicQuantizeLinear, {}, {&call.input(0)}, call, 3));
  const Tensor* b_zero = call.has(3) ? &call.input(3) : nullptr;
  const Tensor* bias = call.has(4) ? &call.input(4) : nullptr;
  return apply(Op::kMatMulIntegerToFloat, {},
               {&a[0], &call.input(1), &a[1], &call.input(2), &a[2], b_zero, bias}, call);
}

}  // namespace zeropoint::operators
