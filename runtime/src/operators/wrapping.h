#pragma once

#include <type_traits>

namespace zeropoint::operators {

/// function(a, b) of sums, differences and products; integers as unsigned ones of at least 32 bits, which
/// wrap around where signed ones may not overflow.
template <typename T, typename Function>
T wrapped(T a, T b, Function function) {
  if constexpr (std::is_integral_v<T>) {
    using Wide = std::conditional_t<sizeof(T) < sizeof(unsigned), unsigned, std::make_unsigned_t<T>>;
    return static_cast<T>(function(static_cast<Wide>(a), static_cast<Wide>(b)));
  } else {
    return function(a, b);
  }
}

template <typename T>
struct Plus {
  T operator()(T a, T b) const {
    return wrapped(a, b, [](auto x, auto y) { return x + y; });
  }
};

template <typename T>
struct Minus {
  T operator()(T a, T b) const {
    return wrapped(a, b, [](auto x, auto y) { return x - y; });
  }
};

template <typename T>
struct Times {
  T operator()(T a, T b) const {
    return wrapped(a, b, [](auto x, auto y) { return x * y; });
  }
};

}  // namespace zeropoint::operators
