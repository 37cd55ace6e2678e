#include <algorithm>
#include <limits>

#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

template <typename T>
T largest(const MaxPoolOp& op, const T* plane, std::int64_t height, std::int64_t width, std::int64_t out_y,
          std::int64_t out_x) {
  const Window2d& win = op.window;
  T best = std::numeric_limits<T>::min();
  for (std::int64_t ky = 0; ky < win.kernel[0]; ++ky) {
    std::int64_t y = out_y * win.strides[0] + ky * win.dilations[0] - win.pads_begin[0];
    for (std::int64_t kx = 0; kx < win.kernel[1]; ++kx) {
      std::int64_t x = out_x * win.strides[1] + kx * win.dilations[1] - win.pads_begin[1];
      if (y >= 0 && y < height && x >= 0 && x < width) {
        best = std::max(best, plane[y * width + x]);
      }
    }
  }
  return best;
}

}  // namespace

void run(const MaxPoolOp& op, const Tensor& input, Tensor& output) {
  visit_integer(input.type(), [&](auto element) {
    using T = decltype(element);
    const T* in = input.data<T>().data();
    T* out = output.data<T>().data();
    std::int64_t height = input.dim(2);
    std::int64_t width = input.dim(3);
    for (std::int64_t plane = 0; plane < input.dim(0) * input.dim(1); ++plane) {
      for (std::int64_t y = 0; y < output.dim(2); ++y) {
        for (std::int64_t x = 0; x < output.dim(3); ++x) {
          *out++ = largest(op, in + plane * height * width, height, width, y, x);
        }
      }
    }
  });
}

}  // namespace zeropoint::reference
