#pragma once

// What calibration gathers about each float tensor of a graph, in constant memory and one pass. Every method
// to choose a range reads it afterwards (see ranges.h); improvements read the channels.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/affine_tensor.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/exact_sum.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/histogram.h"

namespace zeropoint::toolchain {

/// Range and mean of each index along one axis of a tensor, that of its channels as those who read it see
/// them: axis 1 for a convolution, the axis that is summed over for a product of matrices.
struct ChannelStatistics {
  std::int64_t axis = -1;         ///< of the tensor with its batch axis, from 0; -1: there are none
  std::int64_t per_channel = 0;   ///< values seen of each channel
  std::vector<RealRange> ranges;  ///< [channels]
  std::vector<ExactSum> sums;     ///< [channels]

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(ranges.size()); }
  /// E[x] of the channel.
  [[nodiscard]] double mean(std::int64_t channel) const {
    return sums[static_cast<std::size_t>(channel)].value() / static_cast<double>(per_channel);
  }
  /// max |x| of the channel.
  [[nodiscard]] float abs_max(std::int64_t channel) const {
    const RealRange& range = ranges[static_cast<std::size_t>(channel)];
    return std::max(-range.r_min, range.r_max);
  }
  /// What was seen in other runs. Where those have other channels, there are none any more.
  void merge(const ChannelStatistics& next);
};

/// Moving averages of the smallest and the largest value of each run, that is of each sample where the graph
/// leaves the batch open, in the order of the samples: m = (1 - kWeight) m + kWeight x from m = 0 on, divided
/// by 1 - (1 - kWeight)^runs, so that the first ones count in full (Kingma & Ba 2015, section 3). Merging
/// gives what one pass over all samples gives, up to rounding in float64.
struct MovingAverage {
  static constexpr double kWeight = 0.01;

  std::int64_t runs = 0;
  double low = 0;   ///< m of the smallest values, not yet divided
  double high = 0;  ///< m of the largest values

  void add(RealRange run);
  void merge(const MovingAverage& next);
  /// {+inf, -inf} before the first run.
  [[nodiscard]] RealRange range() const;
  friend bool operator==(const MovingAverage&, const MovingAverage&) = default;
};

/// What was seen of one tensor.
struct TensorStatistics {
  RealRange range;  ///< {+inf, -inf} before anything was seen
  MovingAverage moving_average;
  Histogram histogram;
  ChannelStatistics channels;

  [[nodiscard]] std::int64_t count() const { return histogram.count(); }

  /// The values of one run, float32, with channels along `axis` (-1: none). Where the axis has another
  /// extent than in runs before, the tensor has no channels any more. The run's sum per channel is formed in
  /// float64, in an order that depends on its shape alone; runs are added exactly. Returns the run's range,
  /// of which the caller makes the moving average, in order. kInvalidArgument, with nothing added, where a
  /// value is not finite.
  Result<RealRange> add(const Tensor& values, std::int64_t axis);
  /// What was seen of the same tensor in later runs.
  void merge(const TensorStatistics& next);
  void clear();

 private:
  void add_channels(ChannelStatistics next);
};

/// What was seen of every float tensor of a graph that is not a constant.
struct Statistics {
  /// Where some of the samples came from.
  struct Part {
    std::string data;
    std::int64_t samples = 0;
    friend bool operator==(const Part&, const Part&) = default;
  };

  std::string model;        ///< fingerprint() of the graph
  std::vector<Part> parts;  ///< in the order in which they were run or merged
  std::map<std::string, TensorStatistics> tensors;

  [[nodiscard]] std::int64_t samples() const;
  /// The parts in words.
  [[nodiscard]] std::string data() const;
  /// Takes in what was gathered on later samples, in another process perhaps. Equal to one run over all of
  /// them: exactly, except for the moving averages, which are so up to rounding. kInvalidArgument, with
  /// nothing changed, for statistics of another model.
  Status merge(const Statistics& next);
};

/// A text that two graphs share only where they have the same nodes, names and constants (SHA-256).
Result<std::string> fingerprint(const Graph& graph);
/// kInvalidArgument where `statistics` are not of `graph`, with a tensor that it does not have, if there is
/// one.
Status check_model(const Statistics& statistics, const Graph& graph);

/// The statistics as JSON, and back. The format is described in docs/statistics.md. kCorrupt says which field
/// of which tensor is wrong; memory is asked for only as the text has content.
std::string to_json(const Statistics& statistics);
Result<Statistics> statistics_from_json(std::string_view text);

}  // namespace zeropoint::toolchain
