// Products of matrices.

#include <fmt/format.h>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {

// y[N, M] = alpha A'[N, K] B'[K, M] + beta C, where A' and B' may be transposed.
Status gemm_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    if (context.has(i)) {
      ZP_RETURN_IF_ERROR(wants(context, i, context.type(0)));
    }
  }
  if (!context.dims(0) || !context.dims(1)) {
    return {};
  }
  Dims a = *context.dims(0);
  Dims b = *context.dims(1);
  if (a.size() == 2 && int_attribute(context.node(), "transA") != 0) {
    std::swap(a[0], a[1]);
  }
  if (b.size() == 2 && int_attribute(context.node(), "transB") != 0) {
    std::swap(b[0], b[1]);
  }
  if (a.size() != 2 || b.size() != 2 || !may_equal(a[1], b[0])) {
    return Status::invalid_argument(fmt::format("matrices {} and {} cannot be multiplied",
                                                to_string(*context.dims(0)), to_string(*context.dims(1))));
  }
  Dims product{a[0], b[1]};
  if (context.has(2) && context.dims(2)) {
    const Dims& c = *context.dims(2);
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

}  // namespace zeropoint::toolchain
