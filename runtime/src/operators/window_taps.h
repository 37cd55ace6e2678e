#pragma once

#include "zeropoint/window.h"

namespace zeropoint::operators {

/// Walks the positions of `extents`, row-major.
class Positions {
 public:
  explicit Positions(const Shape& extents) : extents_(extents), position_(extents.size(), 0) {}

  [[nodiscard]] const Shape& operator*() const { return position_; }
  /// To the next position; false behind the last.
  bool next() {
    for (std::size_t i = extents_.size(); i-- > 0;) {
      if (++position_[i] < extents_[i]) {
        return true;
      }
      position_[i] = 0;
    }
    return false;
  }

 private:
  const Shape& extents_;
  Shape position_;
};

/// The row-major offset in the input's plane of the element under kernel position `tap` when the window
/// stands at `out`; -1 in the padding.
inline std::int64_t input_offset(const WindowGeometry& window, const Shape& out, const Shape& tap) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t at = out[i] * window.strides[i] - window.pads_begin[i] + tap[i] * window.dilations[i];
    if (at < 0 || at >= window.input[i]) {
      return -1;
    }
    offset = offset * window.input[i] + at;
  }
  return offset;
}

/// Whether the window's tap lies on the input or its padding. With ceil_mode the last window may reach
/// further, over what no average counts.
inline bool is_padded(const WindowGeometry& window, const Shape& out, const Shape& tap) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t at = out[i] * window.strides[i] - window.pads_begin[i] + tap[i] * window.dilations[i];
    if (at >= window.input[i] + window.pads_end[i]) {
      return false;
    }
  }
  return true;
}

/// Product of extents that are known to fit.
inline std::int64_t product(const std::vector<std::int64_t>& extents) {
  std::int64_t count = 1;
  for (std::int64_t extent : extents) {
    count *= extent;
  }
  return count;
}

}  // namespace zeropoint::operators
