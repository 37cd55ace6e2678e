#pragma once

#include "operators/window_taps.h"
#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// How the weights w[M, C / group, kernel...] of a convolution lie over its input x[N, C, spatial...].
struct Convolution {
  WindowGeometry window;
  Shape x;
  Shape w;
  std::int64_t group;
  Shape shape;  ///< of the result, [N, M, spatial...]

  /// The attributes of the call applied to tensors of these shapes; kInvalidArgument where they do not fit.
  static Result<Convolution> of(const OperatorCall& call, const Shape& x, const Shape& w);

  /// Calls store(i, m, sum) for each element i of the result in order, of channel m: `sum` is start(m) and
  /// the products of inputs and weights under the window, added up as Sum.
  template <typename Sum, typename T, typename Start, typename Store>
  void for_each(const T* inputs, const T* weights, Start&& start, Store&& store) const {
    std::int64_t in_plane = product(window.input);
    std::int64_t taps = product(window.kernel);
    std::int64_t element = 0;
    for (std::int64_t n = 0; n < x[0]; ++n) {
      for (std::int64_t m = 0; m < w[0]; ++m) {
        const T* plane = inputs + (n * x[1] + m / (w[0] / group) * w[1]) * in_plane;
        Positions at(window.output);
        do {
          Sum sum = start(m);
          const T* filter = weights + m * w[1] * taps;
          Positions tap(window.kernel);
          do {
            std::int64_t offset = input_offset(window, *at, *tap);
            for (std::int64_t c = 0; offset >= 0 && c < w[1]; ++c) {
              sum = static_cast<Sum>(sum + static_cast<Sum>(plane[c * in_plane + offset]) * filter[c * taps]);
            }
            ++filter;
          } while (tap.next());
          store(element++, m, sum);
        } while (at.next());
      }
    }
  }
};

}  // namespace zeropoint::operators
