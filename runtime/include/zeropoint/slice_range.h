#pragma once

#include <algorithm>
#include <cstdint>

#include "zeropoint/status.h"

namespace zeropoint {

/// What a slice takes along one axis: `count` elements from `first` on, `step` apart.
struct SliceRange {
  std::int64_t first;
  std::int64_t count;
  std::int64_t step;
};

/// ONNX Slice over an axis of `extent` elements: negative bounds count from its end, bounds beyond it are
/// clamped. kInvalidArgument for a step of 0.
inline Result<SliceRange> slice_range(std::int64_t start, std::int64_t end, std::int64_t step,
                                      std::int64_t extent) {
  if (step == 0) {
    return Status::invalid_argument("it slices in steps of 0");
  }
  if (extent == 0) {
    return SliceRange{0, 0, step};
  }
  // Steps of the extent or more take one element; clamping them keeps the differences below from overflowing.
  step = std::clamp(step, -extent, extent);
  std::int64_t lowest = step > 0 ? 0 : -1;
  std::int64_t highest = step > 0 ? extent : extent - 1;
  auto bound = [&](std::int64_t at) { return std::clamp(at < 0 ? at + extent : at, lowest, highest); };
  std::int64_t first = std::clamp<std::int64_t>(start < 0 ? start + extent : start, 0, highest);
  // An end of -1 counts from the back too; only ends before the first element reach -1 itself.
  std::int64_t last = bound(end);
  std::int64_t distance = step > 0 ? last - first : first - last;
  std::int64_t stride = step > 0 ? step : -step;
  return SliceRange{first, distance <= 0 ? 0 : (distance - 1) / stride + 1, step};
}

}  // namespace zeropoint
