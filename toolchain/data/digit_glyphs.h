#pragma once

#include <vector>

namespace zeropoint::toolchain {

struct Point {
  double x;  ///< to the right
  double y;  ///< down
  friend bool operator==(const Point&, const Point&) = default;
};

/// Points that the pen passes through in one smooth movement. A point given twice is a corner.
using Stroke = std::vector<Point>;

/// The strokes of one way to write a digit, in a box of 1x1.
using Glyph = std::vector<Stroke>;

/// The ways to write `digit`, 0 to 9.
const std::vector<Glyph>& glyphs_of(int digit);

}  // namespace zeropoint::toolchain
