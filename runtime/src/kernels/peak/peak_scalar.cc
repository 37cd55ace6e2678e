#include "kernels/peak/peak.h"

namespace zeropoint::kernels {
namespace {

constexpr int kLanes = 64;

/// Hides from the compiler what a value is.
template <typename T>
void forget(T& value) {
  asm volatile("" : "+m"(value));
}

template <typename Input, typename Sum>
PeakWork loop(std::int64_t rounds) {
  Input a[kLanes];
  Input b[kLanes];
  Sum sums[kLanes] = {};
  for (int i = 0; i < kLanes; ++i) {
    a[i] = static_cast<Input>(i);
    b[i] = static_cast<Input>(1);
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
    forget(a);
    for (int i = 0; i < kLanes; ++i) {
      sums[i] += static_cast<Sum>(a[i]) * static_cast<Sum>(b[i]);
    }
  }
  float result = 0;
  for (Sum sum : sums) {
    result += static_cast<float>(sum);
  }
  return {rounds * kLanes, result};
}

}  // namespace

PeakLoops peak_scalar() { return {loop<std::int8_t, std::int32_t>, loop<float, float>}; }

}  // namespace zeropoint::kernels
