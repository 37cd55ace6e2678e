#pragma once

#include <cstddef>
#include <cstdint>

namespace zeropoint::operators {

/// The sum of function(i) over [0, count), in several partial sums that a compiler can keep side by side; the
/// order is fixed.
template <typename Function>
double sum_of(std::int64_t count, Function function) {
  constexpr std::int64_t kParts = 8;
  double parts[kParts] = {};
  std::int64_t i = 0;
  for (; i + kParts <= count; i += kParts) {
    for (std::int64_t k = 0; k < kParts; ++k) {
      parts[k] += static_cast<double>(function(i + k));
    }
  }
  for (; i < count; ++i) {
    parts[0] += static_cast<double>(function(i));
  }
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

/// Mean and variance (over count, not count - 1) of consecutive elements; 0 for none.
struct Moments {
  double mean = 0;
  double variance = 0;

  template <typename T>
  static Moments of(const T* x, std::int64_t count) {
    Moments moments;
    if (count > 0) {
      auto n = static_cast<double>(count);
      moments.mean = sum_of(count, [&](std::int64_t i) { return x[i]; }) / n;
      moments.variance = sum_of(count,
                                [&](std::int64_t i) {
                                  double centered = static_cast<double>(x[i]) - moments.mean;
                                  return centered * centered;
                                }) /
                         n;
    }
    return moments;
  }
};

}  // namespace zeropoint::operators
