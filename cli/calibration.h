#pragma once

// What verbs that calibrate share: which samples, and running them with a progress bar that can be stopped.

#include <CLI/App.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "samples.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/calibrate.h"

namespace zeropoint::cli {

struct CalibrationSamples {
  SampleOptions samples;
  std::int64_t limit = 256;
  std::string shard;  ///< "I/N": only part I of N of them; empty: all

  /// --data and what belongs to it, --input, --samples.
  void add(CLI::App& command);
  /// Whether the command line names samples, rather than leaving them to $ZEROPOINT_DATA.
  [[nodiscard]] bool given() const;
};

/// Samples for every input of a graph.
struct LoadedSamples {
  std::vector<std::shared_ptr<const toolchain::Dataset>> data;
  std::string description;  ///< where they are from, and what is done to them
};
Result<LoadedSamples> load_calibration_samples(const CalibrationSamples& options,
                                               const toolchain::Graph& graph);

/// gather_statistics() with a progress bar. Where a StopOnInterrupt lives, Ctrl-C ends it after a batch:
/// interrupted() tells. Then the statistics are of fewer samples than there are; without one batch it is an
/// error.
Result<toolchain::Statistics> gather_with_progress(const toolchain::Graph& graph,
                                                   const LoadedSamples& samples,
                                                   const toolchain::CalibrationOptions& options);

/// --calibrator: how ranges are read off statistics.
void add_calibrator_option(CLI::App& command, std::string& calibrator);

/// The statistics in the file at `path`; errors name it.
Result<toolchain::Statistics> read_statistics(const std::string& path);

}  // namespace zeropoint::cli
