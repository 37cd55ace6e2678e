#include "zeropoint/toolchain/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibrate/magnitude.h"

namespace zeropoint::toolchain {
namespace {

constexpr int kSideBits = 12;
static_assert(1 << kSideBits == Histogram::kSide);

/// log2 of the smallest width at which kSide bins hold `largest`, which is positive.
int exponent_for(float largest) {
  int exponent = 0;
  (void)std::frexp(largest, &exponent);  // largest < 2^exponent
  return std::max(exponent - kSideBits, Histogram::kMinExponent);
}

/// Makes bins of twice the width.
void halve(std::vector<std::int64_t>& bins) {
  constexpr std::size_t kSide = Histogram::kSide;
  constexpr std::size_t kKept = kSide / 2;
  for (std::size_t i = 0; i < kKept; ++i) {
    bins[kSide + i] = bins[kSide + 2 * i] + bins[kSide + 2 * i + 1];
    bins[kSide - 1 - i] = bins[kSide - 1 - 2 * i] + bins[kSide - 2 - 2 * i];
  }
  std::fill(bins.begin(), bins.begin() + kKept, 0);
  std::fill(bins.end() - kKept, bins.end(), 0);
}

}  // namespace

double Histogram::width() const { return std::ldexp(1.0, exponent_); }

void Histogram::clear() {
  exponent_ = kMinExponent;
  count_ = 0;
  zeros_ = 0;
  std::fill(bins_.begin(), bins_.end(), 0);
}

void Histogram::widen(int exponent) {
  if (zeros_ == count_) {
    exponent_ = std::max(exponent_, exponent);  // every bin is empty
  }
  for (; exponent_ < exponent; ++exponent_) {
    halve(bins_);
  }
}

void Histogram::reach(float largest) {
  if (largest > 0) {
    bins_.resize(kBins);
    widen(exponent_for(largest));
  }
}

void Histogram::add(std::span<const float> values) {
  constexpr std::size_t kBlock = 1024;
  std::int32_t bin[kBlock];
  std::int32_t nonzero[kBlock];
  while (!values.empty()) {
    std::span<const float> block = values.first(std::min(kBlock, values.size()));
    values = values.subspan(block.size());
    reach(largest_magnitude(block));
    // Multiplying by a power of two is exact, or gives less than 1 where it underflows.
    const float per_width = std::ldexp(1.0F, -exponent_);
    for (std::size_t i = 0; i < block.size(); ++i) {
      bin[i] = static_cast<std::int32_t>(block[i] * per_width) + (block[i] < 0 ? kSide - 1 : kSide);
    }
    // Zeros are often half of all values: they are dropped without a branch, and not counted one by one.
    std::size_t counted = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
      nonzero[counted] = bin[i];
      counted += block[i] != 0 ? 1 : 0;
    }
    for (std::size_t i = 0; i < counted; ++i) {
      ++bins_[static_cast<std::size_t>(nonzero[i])];
    }
    count_ += static_cast<std::int64_t>(block.size());
    zeros_ += static_cast<std::int64_t>(block.size() - counted);
  }
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ > other.zeros_) {
    bins_.resize(kBins);
    widen(other.exponent_);
    // Bin i of width w lies in bin i / 2^shift of width w 2^shift, rounded away from 0 where i is negative.
    int shift = exponent_ - other.exponent_;
    if (shift == 0) {
      for (std::size_t i = 0; i < bins_.size(); ++i) {
        bins_[i] += other.bins_[i];
      }
    } else if (shift < kSideBits) {
      for (int i = 0; i < kBins; ++i) {
        bins_[static_cast<std::size_t>(((i - kSide) >> shift) + kSide)] +=
            other.bins_[static_cast<std::size_t>(i)];
      }
    } else {
      auto middle = other.bins_.begin() + kSide;
      bins_[kSide - 1] += std::accumulate(other.bins_.begin(), middle, std::int64_t{0});
      bins_[kSide] += std::accumulate(middle, other.bins_.end(), std::int64_t{0});
    }
  }
  count_ += other.count_;
  zeros_ += other.zeros_;
}

Result<Histogram> Histogram::from_counts(int exponent, std::int64_t zeros, std::vector<std::int64_t> bins) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  if (exponent < kMinExponent || exponent > kMaxExponent) {
    return Status::corrupt(
        fmt::format("bins of a width of 2^{}; 2^{} to 2^{} can be", exponent, kMinExponent, kMaxExponent));
  }
  if (!bins.empty() && bins.size() != kBins) {
    return Status::corrupt(fmt::format("{} bins; there must be {}", bins.size(), kBins));
  }
  Histogram histogram;
  histogram.count_ = zeros;
  bool good = zeros >= 0 && zeros <= kMost;
  bool outer = false;  // a value beyond half the range
  bool any = false;
  for (std::size_t i = 0; i < bins.size() && good; ++i) {
    good = bins[i] >= 0 && bins[i] <= kMost - histogram.count_;
    histogram.count_ += good ? bins[i] : 0;
    any = any || bins[i] != 0;
    outer = outer || (bins[i] != 0 && (i < kSide / 2 || i >= kBins - kSide / 2));
  }
  if (!good) {
    return Status::corrupt("counts of values must be from 0 to 2^62, all together");
  }
  if (any ? !outer && exponent > kMinExponent : exponent != kMinExponent) {
    return Status::corrupt(fmt::format("bins of a width of 2^{}, and narrower ones would do", exponent));
  }
  histogram.exponent_ = exponent;
  histogram.zeros_ = zeros;
  histogram.bins_ = any ? std::move(bins) : std::vector<std::int64_t>();
  return histogram;
}

}  // namespace zeropoint::toolchain
