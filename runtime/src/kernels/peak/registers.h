#pragma once

// A loop of multiply-adds into as many sums as hide their latency. Included by files with instruction-set
// flags, each of which gets its own.

#include "kernels/peak/peak.h"

namespace zeropoint::kernels {
namespace {

/// Unit::Vector is a register, Unit::add() one instruction, Unit::kMultiplyAdds what it computes,
/// Unit::first() the number in the first lane.
template <typename Unit>
PeakWork loop_over_registers(std::int64_t rounds) {
  constexpr int kSums = 12;
  typename Unit::Vector a = Unit::value(1);
  typename Unit::Vector b = Unit::value(2);
  typename Unit::Vector sums[kSums];
  for (auto& sum : sums) {
    sum = Unit::value(0);
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = Unit::add(sums[i], a, b);
    }
  }
  float result = 0;
  for (const auto& sum : sums) {
    result += Unit::first(sum);
  }
  return {rounds * kSums * Unit::kMultiplyAdds, result};
}

}  // namespace
}  // namespace zeropoint::kernels
