#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/histogram.h"

namespace zeropoint::toolchain {

/// Sums over the bins [begin, end) of a histogram, each value being taken for its bin's centre, in constant
/// time per question. Values that are 0 are left out: every quantization represents them exactly.
class BinSums {
 public:
  explicit BinSums(const Histogram& histogram);

  [[nodiscard]] double count(int begin, int end) const { return count_[at(end)] - count_[at(begin)]; }
  [[nodiscard]] double sum(int begin, int end) const { return sum_[at(end)] - sum_[at(begin)]; }
  [[nodiscard]] double squares(int begin, int end) const { return squares_[at(end)] - squares_[at(begin)]; }
  /// Bins that hold values.
  [[nodiscard]] int used(int begin, int end) const { return used_[at(end)] - used_[at(begin)]; }
  /// sum of n log n over the bins' counts n.
  [[nodiscard]] double count_logs(int begin, int end) const { return logs_[at(end)] - logs_[at(begin)]; }

  /// The first bin whose centre is not below `real`; kBins where there is none.
  [[nodiscard]] int first_bin_from(double real) const {
    double bin = std::ceil(real / width_ - 0.5) + Histogram::kSide;
    return static_cast<int>(std::clamp(bin, 0.0, static_cast<double>(Histogram::kBins)));
  }
  [[nodiscard]] double width() const { return width_; }

  /// Calls visit(begin, end, real) for the bins that each integer of `type` stands for, in order, with the
  /// real that it dequantizes to, where `params` quantize. Together they are all bins, since what lies beyond
  /// is clamped.
  template <typename Visit>
  void for_each_level(QuantParams params, QuantizedRange range, Visit&& visit) const {
    double scale = params.scale;
    int begin = 0;
    for (std::int64_t q = range.q_min; q <= range.q_max && begin < Histogram::kBins; ++q) {
      double real = scale * static_cast<double>(q - params.zero_point);
      int end = q == range.q_max ? Histogram::kBins : std::max(begin, first_bin_from(real + scale / 2));
      if (end > begin) {
        visit(begin, end, real);
      }
      begin = end;
    }
  }

 private:
  static std::size_t at(int bin) { return static_cast<std::size_t>(bin); }

  double width_;
  std::vector<double> count_;  // each [kBins + 1], of the bins below
  std::vector<double> sum_;
  std::vector<double> squares_;
  std::vector<double> logs_;
  std::vector<int> used_;
};

}  // namespace zeropoint::toolchain
