#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// The axis counted from the front; kInvalidArgument when it is not in [-rank, rank).
Result<std::size_t> axis_in(std::int64_t axis, const Shape& shape);

/// The product of the extents of axes [begin, end) of a tensor's shape.
std::int64_t extent_between(const Shape& shape, std::size_t begin, std::size_t end);

/// A tensor seen as [outer, extent, inner] around one of its axes.
struct AlongAxis {
  std::int64_t outer;
  std::int64_t extent;
  std::int64_t inner;

  /// Around `axis`, which axis_in must accept.
  static Result<AlongAxis> of(const Shape& shape, std::int64_t axis);
};

}  // namespace zeropoint::operators
