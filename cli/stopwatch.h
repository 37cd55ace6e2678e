#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::cli {

/// Times of many runs of the same thing, in milliseconds, in the order in which they ran.
struct Timing {
  std::vector<double> runs;

  [[nodiscard]] double least() const;
  [[nodiscard]] double median() const { return quantile(0.5); }
  /// The smallest time that a share `q` of all runs does not exceed.
  [[nodiscard]] double quantile(double q) const;
};

/// Runs each of `jobs` in turn, again and again, for at least `seconds` times their number and at least 5
/// times, after a tenth of that to warm up. In turn, so that what the machine does beside falls on all alike.
Result<std::vector<Timing>> measure_in_turn(const std::vector<std::function<Status()>>& jobs, double seconds);

/// The median over all rounds of a's time divided by b's.
double ratio_of(const Timing& a, const Timing& b);

}  // namespace zeropoint::cli
