#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/measure.h"

namespace zeropoint::toolchain {

/// Sums over pairs of reals, from which a Deviation is read.
struct DeviationSums {
  double noise = 0;  ///< sum (x' - x)^2
  double dot = 0;    ///< sum x x'
  double power = 0;  ///< sum x'^2
  double largest = 0;

  void add(double x, double other);
  void merge(const DeviationSums& more);
  [[nodiscard]] Deviation deviation(double signal) const;
};

/// 10 log10(signal / noise): infinite for no noise, minus infinite for noise without a signal.
double sqnr_db(double signal, double noise);

/// What is kept of one point while samples pass: the same for any number of samples. Adding samples in parts
/// and merging the parts in order gives the same bits as whatever threads computed them.
class PointSums {
 public:
  struct Rounding {
    QuantParams params;
    QuantizedRange range;
  };
  /// `rounding`: of a quantized point; none for others. `masked`: elements of -5000 and less do not count.
  PointSums(std::optional<Rounding> rounding, bool masked) : rounding_(rounding), masked_(masked) {}

  /// `seen`: what the float network computes; `alone`: what the layer makes of it, before it is rounded;
  /// `rounded`: after that. All of one shape, float32. `channel_axis` may be -1: there are no channels.
  void add_isolated(const Tensor& seen, const Tensor& alone, const Tensor& rounded,
                    std::int64_t channel_axis);
  void add_cumulative(const Tensor& seen, const Tensor& quantized);
  void merge(const PointSums& more);

  /// Writes the figures that come from sums.
  void write(LayerMeasurement& layer) const;

 private:
  struct Channel {
    std::int64_t count = 0;
    double signal = 0;
    double noise = 0;
    double shift = 0;  ///< sum of what the constants add
  };
  [[nodiscard]] bool counts(float seen) const;
  void count_step(float seen);

  std::optional<Rounding> rounding_;
  bool masked_;
  std::int64_t elements_ = 0;
  double signal_ = 0;
  double smallest_ = 0;
  double largest_ = 0;
  DeviationSums isolated_;
  double cumulative_signal_ = 0;
  DeviationSums cumulative_;
  double clipping_ = 0;
  double rounding_noise_ = 0;
  double constants_ = 0;
  std::int64_t saturated_ = 0;
  std::vector<std::int64_t> steps_;  ///< how often each step was taken, 256 of them or fewer per bin
  std::vector<Channel> channels_;
};

}  // namespace zeropoint::toolchain
