#include "calibration.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <numeric>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "interrupt.h"
#include "progress.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Statistics;

/// Part `index` (from 1) of `count`.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

/// While it lives, tensors go back to the system when they are freed. Left alone, glibc learns to keep ever
/// larger ones in heaps that fragment, and memory grows with the number of samples.
struct SmallHeap {
#ifdef __GLIBC__
  SmallHeap() { (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024); }
  ~SmallHeap() {  // to what glibc learns in the end
    (void)mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
  }
#else
  SmallHeap() {}
  ~SmallHeap() {}
#endif
  SmallHeap(const SmallHeap&) = delete;
  SmallHeap& operator=(const SmallHeap&) = delete;
};

Result<Shard> parse_shard(const std::string& text) {
  Shard shard;
  const char* end = text.data() + text.size();
  auto [slash, error] = std::from_chars(text.data(), end, shard.index);
  bool good = error == std::errc() && slash != end && *slash == '/';
  if (good) {
    auto [last, second_error] = std::from_chars(slash + 1, end, shard.count);
    good = second_error == std::errc() && last == end && shard.index >= 1 && shard.index <= shard.count &&
           shard.count <= 1000000;
  }
  return good ? Result<Shard>(shard)
              : Status::invalid_argument(fmt::format(
                    "--shard {}: write I/N, part I of N with I from 1 to N, as --shard 1/4", text));
}

}  // namespace

void CalibrationSamples::add(CLI::App& command) {
  samples.add(command);
  command.add_option("--samples", limit, "Samples to calibrate on (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

bool CalibrationSamples::given() const { return samples.given(); }

Result<LoadedSamples> load_calibration_samples(const CalibrationSamples& options,
                                               const toolchain::Graph& graph) {
  ZP_ASSIGN_OR_RETURN(std::vector<Samples> inputs,
                      load_inputs(options.samples, toolchain::Split::kTrain, graph));
  LoadedSamples loaded;
  for (const Samples& samples : inputs) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> some, limited(samples.data, options.limit));
    loaded.data.push_back(std::move(some));
  }
  loaded.description = loaded.data[0]->description();
  if (!options.shard.empty()) {
    ZP_ASSIGN_OR_RETURN(Shard shard, parse_shard(options.shard));
    // Whole batches where the graph takes batches of one size.
    std::int64_t unit = std::max<std::int64_t>(fixed_batch(graph).value_or(1), 1);
    std::int64_t units = loaded.data[0]->size() / unit;
    std::int64_t first = units * (shard.index - 1) / shard.count * unit;
    std::int64_t end = units * shard.index / shard.count * unit;
    if (first == end) {
      return Status::invalid_argument(
          fmt::format("--shard {}: of {} samples this part has none", options.shard, loaded.data[0]->size()));
    }
    for (std::shared_ptr<const Dataset>& data : loaded.data) {
      std::vector<std::int64_t> indices(static_cast<std::size_t>(end - first));
      std::iota(indices.begin(), indices.end(), first);
      ZP_ASSIGN_OR_RETURN(data, toolchain::subset(std::move(data), std::move(indices)));
    }
    loaded.description = fmt::format("samples {} to {} of {}", first, end - 1, loaded.description);
  }
  if (!inputs[0].preprocess.empty()) {
    loaded.description += "; " + inputs[0].preprocess;
  }
  return loaded;
}

Result<Statistics> gather_with_progress(const toolchain::Graph& graph, const LoadedSamples& samples,
                                        const toolchain::CalibrationOptions& options) {
  SmallHeap heap;
  Progress progress("calibrating", "samples");
  toolchain::CalibrationOptions how = options;
  how.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total); };
  how.stop = [] { return interrupted(); };
  Result<Statistics> gathered = toolchain::gather_statistics(graph, samples.data, how);
  ZP_RETURN_IF_ERROR(gathered.status().at(samples.description));
  Statistics statistics = *std::move(gathered);
  if (statistics.samples() == 0) {
    return Status(StatusCode::kIo, "stopped before the first samples were done");
  }
  statistics.parts[0].data = samples.description;
  return statistics;
}

void add_calibrator_option(CLI::App& command, std::string& calibrator) {
  command
      .add_option("--calibrator", calibrator,
                  "How ranges are read off the statistics: " + toolchain::CalibrationMethod::listed())
      ->check([](const std::string& text) {
        return toolchain::CalibrationMethod::parse(text).status().message();
      })
      ->capture_default_str();
}

Result<Statistics> read_statistics(const std::string& path) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(path));
  Result<Statistics> statistics =
      toolchain::statistics_from_json({reinterpret_cast<const char*>(text.data()), text.size()});
  return statistics.ok() ? std::move(statistics) : statistics.status().at(path);
}

}  // namespace zeropoint::cli
