#include <algorithm>

#include "calibrate/bin_sums.h"
#include "calibrate/range_search.h"

namespace zeropoint::toolchain {
namespace {

/// The squared error of all values that are not 0; infinite where there are no such parameters.
double error_at(const BinSums& sums, RealRange range, QuantizedType type) {
  Result<QuantParams> params = choose_params(range.r_min, range.r_max, type);
  Result<QuantizedRange> integers = type.range();
  if (!params.ok() || !integers.ok()) {
    return std::numeric_limits<double>::infinity();
  }
  double error = 0;
  sums.for_each_level(*params, *integers, [&](int begin, int end, double real) {
    // sum (x - real)^2
    error += std::max(0.0, sums.squares(begin, end) - 2 * real * sums.sum(begin, end) +
                               real * real * sums.count(begin, end));
  });
  return error;
}

}  // namespace

double squared_error(const Histogram& histogram, RealRange range, QuantizedType type) {
  return error_at(BinSums(histogram), range, type) / static_cast<double>(histogram.count());
}

RealRange least_squares_range(const Histogram& histogram, RealRange seen, QuantizedType type) {
  // The range is widened to contain 0 anyway.
  RealRange all{std::min(seen.r_min, 0.0F), std::max(seen.r_max, 0.0F)};
  Result<QuantizedRange> integers = type.range();
  if (!integers.ok() || integers->q_max - integers->q_min >= Histogram::kBins) {
    return all;  // more integers than bins: a histogram does not tell what rounding costs
  }
  BinSums sums(histogram);
  RealRange best = all;
  double least = error_at(sums, all, type);
  bool moved = true;
  while (moved) {
    moved = false;
    for (bool upper : {true, false}) {
      float RealRange::*end = upper ? &RealRange::r_max : &RealRange::r_min;
      for (int step = 1; step <= kMseSteps && all.*end != 0; ++step) {
        RealRange candidate = best;
        candidate.*end = all.*end * static_cast<float>(step) / kMseSteps;
        double error = error_at(sums, candidate, type);
        if (error < least) {
          least = error;
          best = candidate;
          moved = true;
        }
      }
    }
  }
  return best;
}

}  // namespace zeropoint::toolchain
