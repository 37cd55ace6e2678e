#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/ranges.h"
#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {

struct CalibrationOptions {
  int threads = 0;  ///< 0: as many as there are cores
  /// Called after each batch with the number of samples done.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
  /// Asked after each batch: true ends the work there. Statistics::samples() says how far it came.
  std::function<bool()> stop;
};

/// Runs every sample of `data` through `graph` in float and gathers the statistics of every float tensor that
/// is not a constant, except masked scores (graph/attention_mask.h). One data set per input of the graph,
/// sample i of all of them being run together. Samples run one by one, or as many at once as the graph says,
/// so that what they give depends neither on the number of threads nor on how they are split.
///
/// kInvalidArgument for data sets that are empty or of different sizes, samples of another shape than the
/// graph's input, and values that are NaN or infinite (naming tensor, node and sample).
Result<Statistics> gather_statistics(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                                     const CalibrationOptions& options = {});

/// gather_statistics(), then choose_ranges().
Result<RangeTable> calibrate(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                             const CalibrationMethod& method = {}, const CalibrationOptions& options = {});
/// The same for graphs of one input.
Result<RangeTable> calibrate(const Graph& graph, const std::shared_ptr<const Dataset>& data,
                             const CalibrationMethod& method = {}, const CalibrationOptions& options = {});

}  // namespace zeropoint::toolchain
