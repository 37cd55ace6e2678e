#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/affine_tensor.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Watches the values of one tensor over many samples in constant memory, and says what range should
/// represent them. Observers of one kind merge: observing a and b together equals observing a, then merging
/// one that observed b.
class Observer {
 public:
  virtual ~Observer() = default;
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// `values` are finite.
  virtual void observe(std::span<const float> values) = 0;
  /// kInvalidArgument when `other` is of another kind.
  virtual Status merge(const Observer& other) = 0;
  /// {+inf, -inf} before anything was observed.
  [[nodiscard]] virtual RealRange range() const = 0;
};

/// The smallest and the largest value seen.
class MinMaxObserver : public Observer {
 public:
  void observe(std::span<const float> values) override;
  Status merge(const Observer& other) override;
  [[nodiscard]] RealRange range() const override { return range_; }

 private:
  RealRange range_;
};

/// An observer by the name of its method: "minmax". kInvalidArgument lists the names there are.
Result<std::unique_ptr<Observer>> make_observer(std::string_view method);

/// What calibration found, per float tensor of a graph.
struct RangeTable {
  std::string method;
  std::int64_t samples = 0;
  std::string data;  ///< where the samples came from
  std::map<std::string, RealRange> ranges;
};

struct CalibrationOptions {
  std::string method = "minmax";
  std::int64_t batch_size = 64;
  int threads = 0;  ///< 0: as many as there are cores
  /// Called after each batch with the number of samples done.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

/// Runs every sample of `data` through `graph` in float and observes every float tensor that is not a
/// constant. kInvalidArgument for an empty data set, samples of another shape than the graph's input, and
/// values that are NaN or infinite (naming tensor, node and sample).
Result<RangeTable> calibrate(const Graph& graph, const std::shared_ptr<const Dataset>& data,
                             const CalibrationOptions& options);
/// The same for graphs of several inputs: one data set for each, in order, sample i of all of them being run
/// together. kInvalidArgument also for data sets of different sizes.
Result<RangeTable> calibrate(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                             const CalibrationOptions& options);

}  // namespace zeropoint::toolchain
