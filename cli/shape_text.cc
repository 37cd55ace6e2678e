#include "shape_text.h"

#include <charconv>

namespace zeropoint::cli {

Result<Shape> parse_shape(const std::string& text) {
  Shape shape;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    std::int64_t extent = 0;
    auto [next, error] = std::from_chars(at, end, extent);
    bool separated = next == end || *next == 'x' || *next == ',';
    if (error != std::errc() || extent < 1 || !separated || shape.size() >= 8) {
      return Status::invalid_argument("'" + text + "' is not a shape; write it as 1x3x224x224");
    }
    shape.push_back(extent);
    if (next == end) {
      return shape;
    }
    at = next + 1;
  }
}

}  // namespace zeropoint::cli
