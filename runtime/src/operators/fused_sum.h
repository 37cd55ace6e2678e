#pragma once

// How products of real matrices are summed, here and in every kernel (kernels/dot_f32/dot_f32.h): from +0 on,
// term after term, each by one fused multiply-add. Integers wrap around.

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "operators/wrapping.h"

namespace zeropoint::operators {

template <typename T>
T add_product(T sum, T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fma(a, b, sum);
  } else {
    return Plus<T>()(sum, Times<T>()(a, b));
  }
}

}  // namespace zeropoint::operators
