#pragma once

#include <algorithm>
#include <optional>

#include "zeropoint/program.h"

namespace zeropoint {

/// Whether a tensor of `shape` is one that the program declares so, open extents left aside.
inline bool fits(const Shape& shape, const std::optional<Shape>& declared) {
  return !declared || std::equal(shape.begin(), shape.end(), declared->begin(), declared->end(),
                                 [](std::int64_t extent, std::int64_t wanted) {
                                   return wanted == kOpenExtent || wanted == extent;
                                 });
}

}  // namespace zeropoint
