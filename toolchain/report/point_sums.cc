#include "report/point_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kBins = 256;
/// A channel that is so far below the whole tensor has too few steps.
constexpr double kPoorDb = 10;
/// Scores below this are shut out by a mask: masks add -1e4 or less.
constexpr float kShutOutScore = -5000;

double square(double x) { return x * x; }

/// Of an error that is not finite, the loss of the whole value is kept, so that sums stay numbers.
double kept(float value, float seen) {
  return std::isfinite(value) ? static_cast<double>(value) : 2.0 * seen;
}

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double sqnr_db(double signal, double noise) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (noise == 0) {
    return kInf;
  }
  return signal == 0 ? -kInf : 10 * std::log10(signal / noise);
}

void DeviationSums::add(double x, double other) {
  double error = other - x;
  noise += square(error);
  dot += x * other;
  power += square(other);
  largest = std::max(largest, std::abs(error));
}

void DeviationSums::merge(const DeviationSums& more) {
  noise += more.noise;
  dot += more.dot;
  power += more.power;
  largest = std::max(largest, more.largest);
}

Deviation DeviationSums::deviation(double signal) const {
  double length = std::sqrt(signal) * std::sqrt(power);
  double cosine = length > 0 ? dot / length : (signal == power ? 1 : 0);
  return {sqnr_db(signal, noise), std::clamp(cosine, -1.0, 1.0), largest};
}

bool PointSums::counts(float seen) const { return std::isfinite(seen) && (!masked_ || seen > kShutOutScore); }

void PointSums::count_step(float seen) {
  std::int64_t q = quantize(seen, rounding_->params, rounding_->range);
  std::int64_t steps = rounding_->range.q_max - rounding_->range.q_min + 1;
  std::int64_t per_bin = std::max<std::int64_t>(steps / static_cast<std::int64_t>(kBins), 1);
  steps_.resize(kBins);
  ++steps_[std::min(static_cast<std::size_t>((q - rounding_->range.q_min) / per_bin), kBins - 1)];
}

void PointSums::add_isolated(const Tensor& seen, const Tensor& alone, const Tensor& rounded,
                             std::int64_t channel_axis) {
  std::size_t channels = 1;
  std::size_t inner = static_cast<std::size_t>(std::max<std::int64_t>(seen.size(), 1));
  if (channel_axis >= 0 && channel_axis < seen.rank()) {
    channels = static_cast<std::size_t>(seen.dim(channel_axis));
    inner = 1;
    for (std::int64_t axis = channel_axis + 1; axis < seen.rank(); ++axis) {
      inner *= static_cast<std::size_t>(seen.dim(axis));
    }
  }
  channels_.resize(std::max(channels_.size(), channels));
  double low = -std::numeric_limits<double>::infinity();
  double high = -low;
  double half_step = 0;
  if (rounding_) {
    low = dequantize(rounding_->range.q_min, rounding_->params);
    high = dequantize(rounding_->range.q_max, rounding_->params);
    half_step = 0.5 * rounding_->params.scale;
  }
  std::span<const float> x = seen.data<float>();
  std::span<const float> z = alone.data<float>();
  std::span<const float> y = rounded.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!counts(x[i])) {
      continue;
    }
    double value = x[i];
    double made = kept(z[i], x[i]);
    double result = kept(y[i], x[i]);
    smallest_ = elements_ == 0 ? value : std::min(smallest_, value);
    largest_ = elements_ == 0 ? value : std::max(largest_, value);
    ++elements_;
    signal_ += square(value);
    isolated_.add(value, result);
    // result - value = (result - inside) + (inside - wanted) + (wanted - value)
    double wanted = std::clamp(value, low, high);
    double inside = std::clamp(made, low, high);
    rounding_noise_ += square(result - inside);
    constants_ += square(inside - wanted);
    // The first and the last step stand for half a step beyond themselves.
    bool is_beyond = std::abs(wanted - value) > half_step;
    (is_beyond ? clipping_ : rounding_noise_) += square(wanted - value);
    saturated_ += is_beyond ? 1 : 0;
    Channel& channel = channels_[(i / inner) % channels];
    ++channel.count;
    channel.signal += square(value);
    channel.noise += square(result - value);
    channel.shift += inside - wanted;
    if (rounding_) {
      count_step(x[i]);
    }
  }
}

void PointSums::add_cumulative(const Tensor& seen, const Tensor& quantized) {
  std::span<const float> x = seen.data<float>();
  std::span<const float> y = quantized.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (counts(x[i])) {
      cumulative_signal_ += square(x[i]);
      cumulative_.add(x[i], kept(y[i], x[i]));
    }
  }
}

void PointSums::merge(const PointSums& more) {
  if (more.elements_ > 0) {
    smallest_ = elements_ == 0 ? more.smallest_ : std::min(smallest_, more.smallest_);
    largest_ = elements_ == 0 ? more.largest_ : std::max(largest_, more.largest_);
  }
  elements_ += more.elements_;
  signal_ += more.signal_;
  isolated_.merge(more.isolated_);
  cumulative_signal_ += more.cumulative_signal_;
  cumulative_.merge(more.cumulative_);
  clipping_ += more.clipping_;
  rounding_noise_ += more.rounding_noise_;
  constants_ += more.constants_;
  saturated_ += more.saturated_;
  steps_.resize(std::max(steps_.size(), more.steps_.size()));
  for (std::size_t i = 0; i < more.steps_.size(); ++i) {
    steps_[i] += more.steps_[i];
  }
  channels_.resize(std::max(channels_.size(), more.channels_.size()));
  for (std::size_t i = 0; i < more.channels_.size(); ++i) {
    channels_[i].count += more.channels_[i].count;
    channels_[i].signal += more.channels_[i].signal;
    channels_[i].noise += more.channels_[i].noise;
    channels_[i].shift += more.channels_[i].shift;
  }
}

namespace {

/// log2 of the steps between which all but 0.05 % of the values on either side lie.
double effective_bits(const std::vector<std::int64_t>& bins, double steps_per_bin) {
  std::int64_t total = 0;
  for (std::int64_t count : bins) {
    total += count;
  }
  auto beyond = static_cast<std::int64_t>(static_cast<double>(total) * 0.0005);
  auto skipped = [&](auto begin, auto end) {
    std::int64_t sum = 0;
    std::int64_t bins_skipped = 0;
    for (auto bin = begin; bin != end && (sum += *bin) <= beyond; ++bin) {
      ++bins_skipped;
    }
    return bins_skipped;
  };
  std::int64_t used = static_cast<std::int64_t>(bins.size()) - skipped(bins.begin(), bins.end()) -
                      skipped(bins.rbegin(), bins.rend());
  return std::log2(static_cast<double>(std::max<std::int64_t>(used, 1)) * steps_per_bin);
}

}  // namespace

void PointSums::write(LayerMeasurement& layer) const {
  layer.elements = elements_;
  layer.smallest_seen = smallest_;
  layer.largest_seen = largest_;
  layer.isolated = isolated_.deviation(signal_);
  layer.cumulative = cumulative_.deviation(cumulative_signal_);
  if (elements_ == 0) {
    return;
  }
  double unit = signal_ > 0 ? signal_ : 1;
  layer.clipping = clipping_ / unit;
  layer.rounding = rounding_noise_ / unit;
  layer.constants = constants_ / unit;
  layer.saturated = static_cast<double>(saturated_) / static_cast<double>(elements_);
  if (rounding_ && !steps_.empty()) {
    double steps = static_cast<double>(rounding_->range.q_max - rounding_->range.q_min + 1);
    layer.effective_bits = effective_bits(steps_, std::max(steps / static_cast<double>(kBins), 1.0));
  }
  std::vector<double> ratios;
  double shift = 0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const Channel& channel = channels_[i];
    // A channel that is always 0 loses nothing by being nearly that.
    if (channel.count == 0 || channel.signal == 0) {
      continue;
    }
    ratios.push_back(sqnr_db(channel.signal, channel.noise));
    shift += square(channel.shift) / static_cast<double>(channel.count);
    if (ratios.size() == 1 || ratios.back() < layer.worst.sqnr_db) {
      layer.worst = {static_cast<std::int64_t>(i), ratios.back()};
    }
  }
  if (!ratios.empty()) {
    auto poor = std::count_if(ratios.begin(), ratios.end(),
                              [&](double ratio) { return ratio < layer.isolated.sqnr_db - kPoorDb; });
    layer.poor_channels = static_cast<double>(poor) / static_cast<double>(ratios.size());
    layer.median_db = median(ratios);
    layer.constant_shift = constants_ > 0 ? std::min(shift / constants_, 1.0) : 0;
  }
}

}  // namespace zeropoint::toolchain
