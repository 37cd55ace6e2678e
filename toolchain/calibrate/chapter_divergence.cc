#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "calibrate/range_search.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kChapterBins = 2048;
constexpr std::size_t kIntegers = 128;

/// |x| in kChapterBins equal bins from 0 to the largest. They are at least as wide as those of the histogram;
/// where one of its bins lies in two, each gets its share.
std::vector<double> magnitudes(const Histogram& histogram, double largest) {
  std::vector<double> counts(kChapterBins + 1, 0);
  double per_bin = largest / kChapterBins;
  for (int i = 0; i < Histogram::kSide; ++i) {
    auto count = static_cast<double>(histogram.bins()[static_cast<std::size_t>(Histogram::kSide + i)] +
                                     histogram.bins()[static_cast<std::size_t>(Histogram::kSide - 1 - i)]);
    double begin = i * histogram.width() / per_bin;
    double end = (i + 1) * histogram.width() / per_bin;
    auto bin = std::min(static_cast<std::size_t>(begin), kChapterBins - 1);
    double here = std::min(1.0, (static_cast<double>(bin + 1) - begin) / (end - begin));
    counts[bin] += here * count;
    counts[bin + 1] += (1 - here) * count;
  }
  counts[kChapterBins - 1] += counts[kChapterBins];  // what is behind the end only by its bin's width
  counts.pop_back();
  counts[0] += static_cast<double>(histogram.zeros());
  return counts;
}

/// Zeros become 1e-4, and what is not 0 less by as much all together.
void smooth(std::vector<double>& counts) {
  constexpr double kEpsilon = 1e-4;
  auto zeros = static_cast<double>(std::count(counts.begin(), counts.end(), 0.0));
  auto others = static_cast<double>(counts.size()) - zeros;
  for (double& count : counts) {
    count = count == 0 ? kEpsilon : count - kEpsilon * zeros / others;
  }
}

double divergence_of(std::vector<double> p, std::vector<double> q) {
  smooth(p);
  smooth(q);
  double p_sum = std::accumulate(p.begin(), p.end(), 0.0);
  double q_sum = std::accumulate(q.begin(), q.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    // A bin that smoothing took below 0 makes the course's program stop; here it is no candidate.
    if (p[i] <= 0 || q[i] <= 0) {
      return std::numeric_limits<double>::infinity();
    }
    sum += p[i] / p_sum * std::log(p[i] / p_sum / (q[i] / q_sum));
  }
  return sum;
}

/// The divergence of the first `threshold` bins, `beyond` being the count of all others.
double divergence_at(const std::vector<double>& bins, std::size_t threshold, double beyond) {
  std::vector<double> p(bins.begin(), bins.begin() + static_cast<std::ptrdiff_t>(threshold));
  std::vector<double> q(threshold, 0);
  std::size_t merged = threshold / kIntegers;
  std::vector<double> with_beyond = p;
  with_beyond.back() += beyond;
  for (std::size_t j = 0; j < kIntegers; ++j) {
    std::size_t begin = j * merged;
    bool is_last = j == kIntegers - 1;
    double sum =
        std::accumulate(p.begin() + static_cast<std::ptrdiff_t>(begin),
                        is_last ? p.end() : p.begin() + static_cast<std::ptrdiff_t>(begin + merged), 0.0);
    std::size_t end = is_last ? threshold - 1 : begin + merged;
    double filled = 0;
    for (std::size_t i = begin; i < end; ++i) {
      filled += with_beyond[i] != 0 ? 1 : 0;
    }
    for (std::size_t i = begin; i < end && filled > 0; ++i) {
      q[i] = sum / filled;
    }
  }
  bool nothing = std::all_of(q.begin(), q.end(), [](double count) { return count == 0; });
  return nothing ? std::numeric_limits<double>::infinity()
                 : divergence_of(std::move(with_beyond), std::move(q));
}

}  // namespace

RealRange chapter_divergence_range(const Histogram& histogram, RealRange seen) {
  if (histogram.count() == histogram.zeros()) {
    return seen;
  }
  double largest = std::max(-static_cast<double>(seen.r_min), static_cast<double>(seen.r_max));
  std::vector<double> bins = magnitudes(histogram, largest);
  bins.erase(bins.begin());
  double beyond = std::accumulate(bins.begin() + kIntegers, bins.end(), 0.0);
  std::size_t best = kIntegers;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t threshold = kIntegers; threshold < bins.size(); ++threshold) {
    double divergence = divergence_at(bins, threshold, beyond);
    beyond -= bins[threshold];
    if (divergence < least) {
      least = divergence;
      best = threshold;
    }
  }
  auto end = static_cast<float>(largest * static_cast<double>(best) / kChapterBins);
  return {std::max(-end, seen.r_min), std::min(end, seen.r_max)};
}

}  // namespace zeropoint::toolchain
