#pragma once

// From statistics to the range that each tensor's integers represent.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "zeropoint/affine.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {

/// How a range is chosen.
struct CalibrationMethod {
  enum class Kind : std::uint8_t {
    kMinMax,          ///< "minmax": all that was seen
    kMovingAverage,   ///< "moving_average": of the ranges of the samples, see MovingAverage
    kPercentile,      ///< "percentile:P": the middle P percent of the values; half of the rest at each end
    kEntropy,         ///< "entropy": the least Kullback-Leibler divergence
    kEntropyChapter,  ///< "entropy-chapter": the same as the course awesome-compression computes it
    kMse,             ///< "mse": the least mean squared error
  };
  Kind kind = Kind::kMinMax;
  double percent = 99.99;  ///< kPercentile

  /// "minmax", "percentile" (99.99), "percentile:99.9", ... kInvalidArgument names the nearest method, or
  /// says which percentages there are: above 50, up to 100.
  static Result<CalibrationMethod> parse(std::string_view text);
  /// The names that there are: "minmax, moving_average, ...".
  static std::string listed();
  /// What parse() reads.
  [[nodiscard]] std::string name() const;
};

/// The ranges of a graph's float tensors, by one method.
struct RangeTable {
  std::string method;
  std::int64_t samples = 0;
  std::string data;  ///< where the samples came from
  std::map<std::string, RealRange> ranges;
};

/// The range of one tensor that is to become integers of `type`. It lies within what was seen; {+inf, -inf}
/// where nothing was.
RealRange choose_range(const TensorStatistics& tensor, const CalibrationMethod& method, QuantizedType type);
/// That of every tensor.
RangeTable choose_ranges(const Statistics& statistics, const CalibrationMethod& method,
                         QuantizedType type = {8, false});

}  // namespace zeropoint::toolchain
