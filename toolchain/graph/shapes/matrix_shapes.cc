// Products of matrices.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {

namespace {

/// The product of matrices at inputs `ai` and `bi`, to which one at input `ci` is broadcast. An input of
/// which nothing is known is a matrix too.
Status set_gemm_dims(InferenceContext& context, std::size_t ai, std::size_t bi, std::size_t ci) {
  const Dims any(2, unknown_extent());
  Dims a = context.dims(ai).value_or(any);
  Dims b = context.dims(bi).value_or(any);
  if (a.size() == 2 && int_attribute(context.node(), "transA") != 0) {
    std::swap(a[0], a[1]);
  }
  if (b.size() == 2 && int_attribute(context.node(), "transB") != 0) {
    std::swap(b[0], b[1]);
  }
  if (a.size() != 2 || b.size() != 2 || !may_equal(a[1], b[0])) {
    return Status::invalid_argument(fmt::format("matrices {} and {} cannot be multiplied",
                                                to_string(context.dims(ai).value_or(any)),
                                                to_string(context.dims(bi).value_or(any))));
  }
  Dims product{a[0], b[1]};
  if (context.has(ci) && context.dims(ci)) {
    const Dims& c = *context.dims(ci);
    bool fits = c.size() <= 2;
    for (std::size_t i = 0; fits && i < c.size(); ++i) {
      fits = c[i] == Dim(1) || may_equal(c[i], product[2 - c.size() + i]);
    }
    if (!fits) {
      return Status::invalid_argument(
          fmt::format("bias {} does not fit the product {}", to_string(c), to_string(product)));
    }
  }
  context.set_dims(0, std::move(product));
  return {};
}

/// NumPy's matmul of inputs `a` and `b`; none where it cannot be told.
Result<std::optional<Dims>> multiplied(const InferenceContext& context, std::size_t ai, std::size_t bi) {
  if (!context.dims(ai) || !context.dims(bi)) {
    return std::optional<Dims>();
  }
  const Dims& a = *context.dims(ai);
  const Dims& b = *context.dims(bi);
  Status refusal = Status::invalid_argument(
      fmt::format("matrices {} and {} cannot be multiplied", to_string(a), to_string(b)));
  if (a.empty() || b.empty() || !may_equal(a.back(), b.size() == 1 ? b[0] : b[b.size() - 2])) {
    return refusal;
  }
  Result<Dims> product = broadcast({a.begin(), a.end() - std::min<std::ptrdiff_t>(2, std::ssize(a))},
                                   {b.begin(), b.end() - std::min<std::ptrdiff_t>(2, std::ssize(b))});
  if (!product.ok()) {
    return refusal;
  }
  if (a.size() > 1) {
    product->push_back(a[a.size() - 2]);
  }
  if (b.size() > 1) {
    product->push_back(b.back());
  }
  return std::optional<Dims>(std::move(*product));
}

Status set_product(InferenceContext& context, ElementType type, std::size_t a, std::size_t b) {
  context.set_type(0, type);
  ZP_ASSIGN_OR_RETURN(std::optional<Dims> dims, multiplied(context, a, b));
  if (dims) {
    context.set_dims(0, std::move(*dims));
  }
  return {};
}

}  // namespace

// y[N, M] = alpha A'[N, K] B'[K, M] + beta C, where A' and B' may be transposed.
Status gemm_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(want_one_type(context));
  return set_gemm_dims(context, 0, 1, 2);
}

// Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, c, y_scale, y_zero_point.
Status qgemm_shape(InferenceContext& context) {
  ElementType integers = context.type(context.has(8) ? 8 : 0);
  context.set_type(0, context.has(7) ? integers : ElementType::kFloat32);
  return set_gemm_dims(context, 0, 3, 6);
}

Status matmul_shape(InferenceContext& context) {
  ZP_RETURN_IF_ERROR(wants(context, 1, context.type(0)));
  return set_product(context, context.type(0), 0, 1);
}

Status matmul_integer_shape(InferenceContext& context) {
  return set_product(context, ElementType::kInt32, 0, 1);
}

// Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point.
Status qlinear_matmul_shape(InferenceContext& context) {
  return set_product(context, context.type(context.has(7) ? 7 : 0), 0, 3);
}

Status matmul_to_float_shape(InferenceContext& context) {
  return set_product(context, ElementType::kFloat32, 0, 1);
}

Status matmul_nbits_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(0)) {
    Dims dims = *context.dims(0);
    std::int64_t k = int_attribute(context.node(), "K");
    if (dims.empty() || k < 1 || int_attribute(context.node(), "N") < 1 || !may_equal(dims.back(), Dim(k))) {
      return Status::invalid_argument(fmt::format("attributes N and K do not fit input {}", to_string(dims)));
    }
    dims.back() = Dim(int_attribute(context.node(), "N"));
    context.set_dims(0, std::move(dims));
  }
  return {};
}

}  // namespace zeropoint::toolchain
