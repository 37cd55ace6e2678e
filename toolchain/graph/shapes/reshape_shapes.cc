// Operators that give the same elements another shape.

#include <fmt/format.h>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {

Status flatten_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = int_attribute(context.node(), "axis");
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis > rank) {
    return Status::invalid_argument(fmt::format("axis {} is outside of input {}", axis, to_string(x)));
  }
  // One unknown extent survives only where it stands alone on its side.
  auto product = [&](std::int64_t begin, std::int64_t end) {
    if (end - begin == 1) {
      return x[static_cast<std::size_t>(begin)];
    }
    std::int64_t count = 1;
    for (std::int64_t i = begin; i < end; ++i) {
      const Dim& dim = x[static_cast<std::size_t>(i)];
      if (!dim.known() || __builtin_mul_overflow(count, dim.extent, &count)) {
        return Dim(std::string());
      }
    }
    return Dim(count);
  };
  context.set_dims(0, {product(0, axis), product(axis, rank)});
  return {};
}

}  // namespace zeropoint::toolchain
