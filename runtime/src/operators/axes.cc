#include "operators/axes.h"

namespace zeropoint::operators {

Result<std::size_t> axis_in(std::int64_t axis, const Shape& shape) {
  auto rank = static_cast<std::int64_t>(shape.size());
  if (axis < -rank || axis >= rank) {
    return Status::invalid_argument("axis ", axis, " is outside of input ", shape);
  }
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

std::int64_t extent_between(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t product = 1;
  for (std::size_t i = begin; i < end; ++i) {
    // Beside an extent of 0 the others may be of any size.
    if (__builtin_mul_overflow(product, shape[i], &product)) {
      return 0;
    }
  }
  return product;
}

Result<AlongAxis> AlongAxis::of(const Shape& shape, std::int64_t axis) {
  ZP_ASSIGN_OR_RETURN(std::size_t at, axis_in(axis, shape));
  return AlongAxis{extent_between(shape, 0, at), shape[at], extent_between(shape, at + 1, shape.size())};
}

}  // namespace zeropoint::operators
