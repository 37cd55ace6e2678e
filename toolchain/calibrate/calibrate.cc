#include "zeropoint/toolchain/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "calibrate/gathering.h"
#include "data/joint_epoch.h"
#include "parallel/split_batch.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

/// One thread's share of the work.
struct Worker {
  FloatExecutor executor;
  TensorStatistics scratch;

  /// The runs in `range` of the batches, one batch per input of the graph, `unit` samples to a run.
  Status observe(std::span<const Batch> batches, PartRange range, std::int64_t unit, Gathering& gathering) {
    for (std::int64_t run = range.begin; run < range.end; ++run) {
      std::span<const std::int64_t> samples =
          std::span(batches[0].indices)
              .subspan(static_cast<std::size_t>(run * unit), static_cast<std::size_t>(unit));
      std::vector<Tensor> inputs;
      for (const Batch& batch : batches) {
        inputs.push_back(slice_batch(batch.inputs, {run * unit, (run + 1) * unit}));
      }
      ValueObserver observer{[&](ValueId id, const Tensor& tensor) {
                               return gathering.observe(id, tensor, static_cast<std::size_t>(run), samples,
                                                        scratch);
                             },
                             {}};
      ZP_RETURN_IF_ERROR(executor.run(inputs, observer).status());
    }
    return {};
  }
};

Status check_data(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data) {
  if (data.empty() || data.size() != graph.inputs.size()) {
    return Status::invalid_argument(fmt::format("the graph has {} inputs, and there are samples for {}",
                                                graph.inputs.size(), data.size()));
  }
  if (data[0]->size() == 0) {
    return Status::invalid_argument("calibration needs samples, and there are none in: " +
                                    data[0]->description());
  }
  return {};
}

/// How many runs one batch has for each thread: many of small graphs, so that threads seldom wait for each
/// other, and few of large ones, so that batches take little memory and are soon done.
std::int64_t runs_at_once(const Graph& graph) {
  constexpr double kValues = 1 << 23;
  constexpr std::int64_t kMost = 64;
  double values = 1;
  for (const Value& value : graph.values) {
    double count = value.constant == nullptr && value.dims ? 1 : 0;
    for (std::size_t i = 0; count > 0 && i < value.dims->size(); ++i) {
      count *= static_cast<double>(std::max<std::int64_t>((*value.dims)[i].extent, 1));
    }
    values += count;
  }
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(kValues / values), 1, kMost);
}

}  // namespace

Result<Statistics> gather_statistics(const Graph& given, std::span<const std::shared_ptr<const Dataset>> data,
                                     const CalibrationOptions& options) {
  Graph graph = given;
  ZP_RETURN_IF_ERROR(infer_shapes(graph));
  ZP_RETURN_IF_ERROR(check_data(graph, data));
  std::int64_t total = data[0]->size();
  // A graph for batches of one size runs that many samples at once, others one.
  std::int64_t unit = std::max<std::int64_t>(fixed_batch(graph).value_or(1), 1);
  if (total % unit != 0) {
    return Status::invalid_argument(
        fmt::format("the graph takes batches of {} samples, and {} are no multiple of it", unit, total));
  }
  Statistics statistics;
  ZP_ASSIGN_OR_RETURN(statistics.model, fingerprint(graph));
  std::vector<Worker> workers;
  auto threads = static_cast<int>(std::min<std::int64_t>(threads_or_all(options.threads), total / unit));
  for (int i = 0; i < threads; ++i) {
    ZP_ASSIGN_OR_RETURN(FloatExecutor executor,
                        i == 0 ? FloatExecutor::create(graph, {1}) : workers[0].executor.another());
    workers.push_back({std::move(executor), {}});
  }
  Gathering gathering(graph);
  Team team(threads);
  ZP_ASSIGN_OR_RETURN(JointEpoch pass, JointEpoch::start(data, unit * threads * runs_at_once(graph)));
  std::int64_t done = 0;
  while (done < total && !(options.stop && options.stop())) {
    ZP_ASSIGN_OR_RETURN(std::vector<Batch> batches, pass.next());
    std::int64_t runs = static_cast<std::int64_t>(batches[0].indices.size()) / unit;
    gathering.begin(static_cast<std::size_t>(runs));
    ZP_RETURN_IF_ERROR(run_in_parts(team, runs, "calibration", [&](std::size_t part, PartRange range) {
      return workers[part].observe(batches, range, unit, gathering);
    }));
    gathering.end();
    done += runs * unit;
    if (options.progress) {
      options.progress(done, total);
    }
  }
  statistics.parts.push_back({data[0]->description(), done});
  statistics.tensors = gathering.take();
  return statistics;
}

Result<RangeTable> calibrate(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                             const CalibrationMethod& method, const CalibrationOptions& options) {
  ZP_ASSIGN_OR_RETURN(Statistics statistics, gather_statistics(graph, data, options));
  return choose_ranges(statistics, method);
}

Result<RangeTable> calibrate(const Graph& graph, const std::shared_ptr<const Dataset>& data,
                             const CalibrationMethod& method, const CalibrationOptions& options) {
  return calibrate(graph, std::span(&data, 1), method, options);
}

}  // namespace zeropoint::toolchain
