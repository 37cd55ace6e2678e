#include "calibrate/bin_sums.h"

namespace zeropoint::toolchain {

BinSums::BinSums(const Histogram& histogram)
    : width_(histogram.width()), count_{0}, sum_{0}, squares_{0}, logs_{0}, used_{0} {
  for (int i = 0; i < Histogram::kBins; ++i) {
    auto count = histogram.bins().empty() ? 0.0 : static_cast<double>(histogram.bins()[at(i)]);
    double centre = histogram.edge(i) + width_ / 2;
    count_.push_back(count_.back() + count);
    sum_.push_back(sum_.back() + count * centre);
    squares_.push_back(squares_.back() + count * centre * centre);
    logs_.push_back(logs_.back() + (count > 0 ? count * std::log(count) : 0));
    used_.push_back(used_.back() + (count > 0 ? 1 : 0));
  }
}

}  // namespace zeropoint::toolchain
