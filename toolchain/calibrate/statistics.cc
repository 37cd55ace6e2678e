#include "zeropoint/toolchain/statistics.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <span>

namespace zeropoint::toolchain {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

void widen(RealRange& range, RealRange other) {
  range = {std::min(range.r_min, other.r_min), std::max(range.r_max, other.r_max)};
}

/// Smallest, largest and sum of each channel of one run.
struct ChannelPass {
  std::vector<float> low;
  std::vector<float> high;
  std::vector<double> sum;

  explicit ChannelPass(std::size_t channels)
      : low(channels, kInf), high(channels, -kInf), sum(channels, 0.0) {}

  /// Neighbours of one channel. In lanes, so that compilers vectorize it; the lanes are added in order.
  void add_row(std::size_t channel, std::span<const float> row) {
    constexpr std::size_t kLanes = 16;
    float lows[kLanes];
    float highs[kLanes];
    double sums[kLanes] = {};
    std::fill(lows, lows + kLanes, kInf);
    std::fill(highs, highs + kLanes, -kInf);
    std::size_t i = 0;
    for (; i + kLanes <= row.size(); i += kLanes) {
      for (std::size_t j = 0; j < kLanes; ++j) {
        float value = row[i + j];
        lows[j] = value < lows[j] ? value : lows[j];
        highs[j] = value > highs[j] ? value : highs[j];
        sums[j] += value;
      }
    }
    for (; i < row.size(); ++i) {
      lows[0] = std::min(lows[0], row[i]);
      highs[0] = std::max(highs[0], row[i]);
      sums[0] += row[i];
    }
    low[channel] = std::min(low[channel], *std::min_element(lows, lows + kLanes));
    high[channel] = std::max(high[channel], *std::max_element(highs, highs + kLanes));
    for (double lane : sums) {
      sum[channel] += lane;
    }
  }

  /// One value of every channel.
  void add_column(const float* values) {
    for (std::size_t c = 0; c < low.size(); ++c) {
      float value = values[c];
      low[c] = value < low[c] ? value : low[c];
      high[c] = value > high[c] ? value : high[c];
      sum[c] += value;
    }
  }
};

}  // namespace

void MovingAverage::add(RealRange run) {
  ++runs;
  low = (1 - kWeight) * low + kWeight * run.r_min;
  high = (1 - kWeight) * high + kWeight * run.r_max;
}

void MovingAverage::merge(const MovingAverage& next) {
  double kept = std::pow(1 - kWeight, static_cast<double>(next.runs));
  runs += next.runs;
  low = kept * low + next.low;
  high = kept * high + next.high;
}

RealRange MovingAverage::range() const {
  if (runs == 0) {
    return {};
  }
  double weights = 1 - std::pow(1 - kWeight, static_cast<double>(runs));
  return {static_cast<float>(low / weights), static_cast<float>(high / weights)};
}

void ChannelStatistics::merge(const ChannelStatistics& next) {
  if (axis != next.axis || size() != next.size()) {
    *this = {};
    return;
  }
  per_channel += next.per_channel;
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    widen(ranges[c], next.ranges[c]);
    sums[c].add(next.sums[c]);
  }
}

Result<RealRange> TensorStatistics::add(const Tensor& values, std::int64_t axis) {
  if (values.size() == 0) {
    return RealRange();
  }
  bool has_channels = axis >= 0 && axis < values.rank();
  std::size_t extent = has_channels ? static_cast<std::size_t>(values.dim(axis)) : 1;
  std::size_t inner = 1;
  for (std::int64_t i = has_channels ? axis + 1 : 0; i < values.rank(); ++i) {
    inner *= static_cast<std::size_t>(values.dim(i));
  }
  std::span<const float> all = values.data<float>();
  ChannelPass pass(extent);
  if (inner == 1 && extent > 1) {
    for (std::size_t i = 0; i < all.size(); i += extent) {
      pass.add_column(all.data() + i);
    }
  } else {
    inner = extent == 1 ? all.size() : inner;
    for (std::size_t row = 0; row * inner < all.size(); ++row) {
      pass.add_row(row % extent, all.subspan(row * inner, inner));
    }
  }
  // float64 holds the sums of all that float32 holds, so what is not finite comes of a value that is not.
  if (std::any_of(pass.sum.begin(), pass.sum.end(), [](double sum) { return !std::isfinite(sum); })) {
    return Status::invalid_argument("a value is not finite");
  }
  ChannelStatistics run_channels;
  RealRange run;
  run_channels.per_channel = static_cast<std::int64_t>(all.size() / extent);
  run_channels.axis = axis;
  for (std::size_t c = 0; c < extent; ++c) {
    // Whether -0 or 0 is found depends on the order. -0 + 0 = 0.
    run_channels.ranges.push_back({pass.low[c] + 0.0F, pass.high[c] + 0.0F});
    run_channels.sums.emplace_back().add(pass.sum[c]);
    widen(run, run_channels.ranges.back());
  }
  add_channels(has_channels ? std::move(run_channels) : ChannelStatistics());
  widen(range, run);
  histogram.add(all);
  return run;
}

void TensorStatistics::add_channels(ChannelStatistics next) {
  if (count() == 0) {
    channels = std::move(next);
  } else {
    channels.merge(next);
  }
}

void TensorStatistics::merge(const TensorStatistics& next) {
  if (next.count() == 0) {
    return;
  }
  add_channels(next.channels);
  moving_average.merge(next.moving_average);
  widen(range, next.range);
  histogram.merge(next.histogram);
}

void TensorStatistics::clear() {
  range = {};
  moving_average = {};
  histogram.clear();
  channels = {};
}

std::int64_t Statistics::samples() const {
  std::int64_t sum = 0;
  for (const Part& part : parts) {
    sum += part.samples;
  }
  return sum;
}

std::string Statistics::data() const {
  std::string text;
  for (const Part& part : parts) {
    text += (text.empty() ? "" : ", then ") + part.data;
  }
  return text;
}

Status Statistics::merge(const Statistics& next) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;  // so that no sum of counts leaves 63 bits
  auto missing = [](const Statistics& from, const Statistics& in) {
    for (const auto& [name, seen] : from.tensors) {
      if (!in.tensors.contains(name)) {
        return Status::invalid_argument(
            fmt::format("the statistics are of different models: tensor '{}' is in one of them only", name));
      }
    }
    return Status();
  };
  ZP_RETURN_IF_ERROR(missing(*this, next));
  ZP_RETURN_IF_ERROR(missing(next, *this));
  if (model != next.model) {
    return Status::invalid_argument(
        "the statistics are of different models: the names are the same, and the constants or nodes differ");
  }
  bool too_many = samples() > kMost - next.samples();
  for (const auto& [name, seen] : next.tensors) {
    const TensorStatistics& own = tensors.at(name);
    too_many = too_many || own.count() > kMost - seen.count() ||
               own.moving_average.runs > kMost - seen.moving_average.runs;
  }
  if (too_many) {
    return Status::invalid_argument("together the statistics are of more than 2^62 values");
  }
  for (const auto& [name, seen] : next.tensors) {
    tensors[name].merge(seen);
  }
  parts.insert(parts.end(), next.parts.begin(), next.parts.end());
  return {};
}

}  // namespace zeropoint::toolchain
