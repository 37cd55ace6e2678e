#include <algorithm>
#include <limits>

#include "calibrate/bin_sums.h"
#include "calibrate/range_search.h"

namespace zeropoint::toolchain {
namespace {

/// T is at least this part of the largest |x|, as 128 of 2048 bins are. Below, spikes would draw it: the
/// divergence rates a spike that is smeared over its neighbours worse than the loss of all beyond it.
constexpr int kLeastPart = 16;

constexpr double kInf = std::numeric_limits<double>::infinity();

class DivergenceSearch {
 public:
  DivergenceSearch(const Histogram& histogram, RealRange seen, QuantizedType type)
      : sums_(histogram),
        all_{std::min(seen.r_min, 0.0F), std::max(seen.r_max, 0.0F)},
        type_(type),
        counts_(histogram.bins()) {
    auto used = [](std::int64_t count) { return count != 0; };
    first_used_ = static_cast<int>(std::find_if(counts_.begin(), counts_.end(), used) - counts_.begin());
    last_used_ = static_cast<int>(counts_.rend() - std::find_if(counts_.rbegin(), counts_.rend(), used)) - 1;
  }

  /// [max(-T, min), min(T, max)] for T of that many bins.
  [[nodiscard]] RealRange range_at(int bins) const {
    auto threshold = static_cast<float>(bins * sums_.width());
    return {std::max(-threshold, all_.r_min), std::min(threshold, all_.r_max)};
  }

  /// The number of bins that reach to the largest |x|.
  [[nodiscard]] int most_bins() const {
    int below = Histogram::kSide - first_used_;
    return std::max(below, last_used_ - Histogram::kSide + 1);
  }

  [[nodiscard]] double at(int bins) const {
    RealRange range = range_at(bins);
    Result<QuantParams> params = choose_params(range.r_min, range.r_max, type_);
    Result<QuantizedRange> integers = type_.range();
    int first = std::max(Histogram::kSide - bins, first_used_);
    int last = std::min(Histogram::kSide + bins - 1, last_used_);
    if (!params.ok() || !integers.ok() || last - first < integers->q_max - integers->q_min) {
      return kInf;
    }
    double inside = sums_.count(first, last + 1);
    double total = sums_.count(0, Histogram::kBins);
    double below = sums_.count(0, first);
    double above = sums_.count(last + 1, Histogram::kBins);
    // sum n log n over P's bins, of which the outermost have what lies beyond.
    double logs = sums_.count_logs(first, last + 1) + more_at(first, below) + more_at(last, above);
    double cross = 0;  // sum p log q, in counts
    bool lacks = false;
    sums_.for_each_level(*params, *integers, [&](int from, int to, double) {
      from = std::max(from, first);
      to = std::min(to, last + 1);
      if (from >= to) {
        return;
      }
      double within = sums_.count(from, to);
      double all = within + (from == first ? below : 0) + (to == last + 1 ? above : 0);
      // An outermost bin that only values from beyond fill is one of those that the integer stands for, too.
      int filled = sums_.used(from, to) + ((from == first && below > 0 && count_at(first) == 0) ? 1 : 0) +
                   ((to == last + 1 && above > 0 && count_at(last) == 0) ? 1 : 0);
      lacks = lacks || (all > 0 && within == 0);
      cross += all > 0 && within > 0 ? all * std::log(within / filled) : 0;
    });
    // D = sum p/total log(p/total) - sum p/total log(q/inside)
    return lacks || inside == 0 ? kInf : (logs - cross) / total + std::log(inside / total);
  }

 private:
  [[nodiscard]] double count_at(int bin) const {
    return static_cast<double>(counts_[static_cast<std::size_t>(bin)]);
  }
  /// What n log n of a bin grows by when `more` values come to it.
  [[nodiscard]] double more_at(int bin, double more) const {
    double own = count_at(bin);
    auto n_log_n = [](double n) { return n > 0 ? n * std::log(n) : 0; };
    return more > 0 ? n_log_n(own + more) - n_log_n(own) : 0;
  }
  BinSums sums_;
  RealRange all_;
  QuantizedType type_;
  std::span<const std::int64_t> counts_;
  int first_used_;
  int last_used_;
};

}  // namespace

double divergence(const Histogram& histogram, RealRange seen, QuantizedType type, int bins) {
  return DivergenceSearch(histogram, seen, type).at(bins);
}

RealRange least_divergence_range(const Histogram& histogram, RealRange seen, QuantizedType type) {
  if (histogram.count() == histogram.zeros()) {
    return seen;
  }
  DivergenceSearch search(histogram, seen, type);
  // Where two are equal, the wider range: it clamps less.
  int best = search.most_bins();
  double least = search.at(best);
  for (int bins = best - 1, least_bins = best / kLeastPart; bins >= least_bins; --bins) {
    double divergence = search.at(bins);
    if (divergence < least) {
      least = divergence;
      best = bins;
    }
  }
  return search.range_at(best);
}

}  // namespace zeropoint::toolchain
