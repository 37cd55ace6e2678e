#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {

/// The statistics of one graph while several threads gather them.
class Gathering {
 public:
  /// Shapes of the graph must be inferred; it must outlive this.
  explicit Gathering(const Graph& graph);

  /// Before the runs of a batch, which are numbered from 0.
  void begin(std::size_t runs);
  /// What run `run` of the batch, of the samples with numbers `samples`, has for a value. May be called from
  /// several threads, each with a `scratch` of its own.
  Status observe(ValueId id, const Tensor& tensor, std::size_t run, std::span<const std::int64_t> samples,
                 TensorStatistics& scratch);
  /// After them.
  void end();

  /// By the names of the values.
  [[nodiscard]] std::map<std::string, TensorStatistics> take();

 private:
  struct Entry {
    std::mutex mutex;
    TensorStatistics seen;        // under the mutex
    std::vector<RealRange> runs;  // of this batch; each written by one thread
  };

  [[nodiscard]] Status not_finite(ValueId id, std::span<const float> values,
                                  std::span<const std::int64_t> samples) const;

  const Graph& graph_;
  std::vector<std::int32_t> producers_;
  std::vector<std::int64_t> axes_;
  std::vector<std::unique_ptr<Entry>> entries_;  // per value; none where nothing is gathered
};

}  // namespace zeropoint::toolchain
