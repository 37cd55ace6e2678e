#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "zeropoint/cpu.h"

namespace zeropoint::kernels::testing_kernels {

using Rng = std::mt19937;

inline std::int64_t pick(Rng& rng, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(rng);
}

/// Any element of a list.
template <typename T>
T one_of(Rng& rng, const std::vector<T>& list) {
  return list[static_cast<std::size_t>(pick(rng, 0, std::ssize(list) - 1))];
}

/// Uniform over the type, its ends more often than chance would have them.
template <typename T>
std::vector<T> random_bytes(Rng& rng, std::int64_t count) {
  constexpr std::int64_t kLow = std::numeric_limits<T>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<T>::max();
  std::vector<T> bytes;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t corner = pick(rng, 0, 5);
    bytes.push_back(static_cast<T>(corner == 0 ? kLow : corner == 1 ? kHigh : pick(rng, kLow, kHigh)));
  }
  return bytes;
}

/// Calls test(kernel) for each of a table that this machine runs; says which it cannot.
template <typename Kernels, typename Test>
void for_each_at_hand(const Kernels& kernels, Test&& test) {
  int run = 0;
  for (const auto& kernel : kernels) {
    if (!is_supported(kernel.isa)) {
      GTEST_LOG_(INFO) << "SKIPPED: this machine cannot run " << kernel.name;
      continue;
    }
    SCOPED_TRACE(kernel.name);
    test(kernel);
    ++run;
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
  }
  ASSERT_GT(run, 0);
}

}  // namespace zeropoint::kernels::testing_kernels
