#pragma once

#include <cstdint>
#include <span>

namespace zeropoint {

/// The sums of the numbers of each sign.
struct SignedSums {
  std::int64_t positive = 0;
  std::int64_t negative = 0;
};

SignedSums signed_sums(std::span<const std::int8_t> numbers);

}  // namespace zeropoint
