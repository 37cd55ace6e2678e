#include "zeropoint/toolchain/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "graph/attention_mask.h"
#include "parallel/split_batch.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/loader.h"

namespace zeropoint::toolchain {
namespace {

/// One observer per float value of a graph.
class Calibrator {
 public:
  Calibrator(const Graph& graph, std::string method)
      : graph_(graph),
        producers_(producers(graph)),
        masked_(graph.values.size(), false),
        method_(std::move(method)) {
    std::vector<std::vector<std::int32_t>> readers = consumers(graph);
    for (const Node& node : graph.nodes) {
      if (attention_mask(graph, node, readers)) {
        masked_[static_cast<std::size_t>(node.outputs[0])] = true;
      }
    }
  }

  Status observe(ValueId id, const Tensor& batch, std::span<const std::int64_t> samples) {
    // Masked scores may be -inf, and have the range of the scores.
    if (batch.type() != ElementType::kFloat32 || masked_[static_cast<std::size_t>(id)]) {
      return {};
    }
    std::span<const float> values = batch.data<float>();
    ZP_RETURN_IF_ERROR(check_finite(id, values, samples));
    std::unique_ptr<Observer>& observer = observers_[graph_.value(id).name];
    if (observer == nullptr) {
      ZP_ASSIGN_OR_RETURN(observer, make_observer(method_));
    }
    observer->observe(values);
    return {};
  }

  /// Takes in what another calibrator of the same graph and method saw.
  Status merge(const Calibrator& other) {
    for (const auto& [name, observer] : other.observers_) {
      std::unique_ptr<Observer>& own = observers_[name];
      if (own == nullptr) {
        ZP_ASSIGN_OR_RETURN(own, make_observer(method_));
      }
      ZP_RETURN_IF_ERROR(own->merge(*observer));
    }
    return {};
  }

  [[nodiscard]] std::map<std::string, RealRange> ranges() const {
    std::map<std::string, RealRange> result;
    for (const auto& [name, observer] : observers_) {
      result[name] = observer->range();
    }
    return result;
  }

 private:
  [[nodiscard]] Status check_finite(ValueId id, std::span<const float> values,
                                    std::span<const std::int64_t> samples) const {
    auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad == values.end()) {
      return {};
    }
    std::size_t per_sample = std::max<std::size_t>(1, values.size() / samples.size());
    std::size_t sample =
        std::min(static_cast<std::size_t>(bad - values.begin()) / per_sample, samples.size() - 1);
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    return Status::invalid_argument(fmt::format(
        "tensor '{}' ({}) is {} at sample {}", graph_.value(id).name,
        maker < 0 ? "an input" : "made by " + describe(graph_.nodes[static_cast<std::size_t>(maker)]), *bad,
        samples[sample]));
  }

  const Graph& graph_;
  std::vector<std::int32_t> producers_;
  std::vector<bool> masked_;  // per value
  std::string method_;
  std::map<std::string, std::unique_ptr<Observer>> observers_;
};

/// One thread's share of the work: its own executor, its own observers.
struct Worker {
  FloatExecutor executor;
  Calibrator calibrator;

  /// The samples in `range` of the batches, one per input of the graph, `at_once` of them per run.
  Status observe(std::span<const Batch> batches, PartRange range, std::int64_t at_once) {
    for (std::int64_t begin = range.begin; begin < range.end; begin += at_once) {
      PartRange run{begin, std::min(begin + at_once, range.end)};
      std::span<const std::int64_t> samples =
          std::span(batches[0].indices)
              .subspan(static_cast<std::size_t>(run.begin), static_cast<std::size_t>(run.end - run.begin));
      std::vector<Tensor> inputs;
      for (const Batch& batch : batches) {
        inputs.push_back(slice_batch(batch.inputs, run));
      }
      ValueObserver observer{
          [&](ValueId id, const Tensor& tensor) { return calibrator.observe(id, tensor, samples); }, {}};
      ZP_RETURN_IF_ERROR(executor.run(inputs, observer).status());
    }
    return {};
  }
};

Result<std::vector<Worker>> make_workers(const Graph& graph, const CalibrationOptions& options) {
  std::vector<Worker> workers;
  for (int i = 0; i < threads_or_all(options.threads); ++i) {
    ZP_ASSIGN_OR_RETURN(FloatExecutor executor, FloatExecutor::create(graph, {1}));
    workers.push_back({std::move(executor), Calibrator(graph, options.method)});
  }
  return workers;
}

/// One pass over the data of every input, side by side.
struct Epochs {
  std::vector<Epoch> epochs;

  static Result<Epochs> start(std::span<const std::shared_ptr<const Dataset>> data, std::int64_t batch_size) {
    Epochs result;
    for (const std::shared_ptr<const Dataset>& input : data) {
      ZP_ASSIGN_OR_RETURN(DataLoader loader, DataLoader::make(input, {.batch_size = batch_size}));
      ZP_ASSIGN_OR_RETURN(Epoch epoch, loader.epoch(0));
      result.epochs.push_back(std::move(epoch));
    }
    return result;
  }

  /// The next batch of each; empty at the end.
  Result<std::vector<Batch>> next() {
    std::vector<Batch> batches;
    for (Epoch& epoch : epochs) {
      ZP_ASSIGN_OR_RETURN(std::optional<Batch> batch, epoch.next());
      if (!batch) {
        return std::vector<Batch>();
      }
      batches.push_back(*std::move(batch));
    }
    return batches;
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
  for (const std::shared_ptr<const Dataset>& input : data) {
    if (input->size() != data[0]->size()) {
      return Status::invalid_argument(
          fmt::format("there are {} samples of one input and {} of another: {}; {}", data[0]->size(),
                      input->size(), data[0]->description(), input->description()));
    }
  }
  return {};
}

}  // namespace

Result<RangeTable> calibrate(const Graph& graph, const std::shared_ptr<const Dataset>& data,
                             const CalibrationOptions& options) {
  return calibrate(graph, std::span(&data, 1), options);
}

Result<RangeTable> calibrate(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                             const CalibrationOptions& options) {
  ZP_RETURN_IF_ERROR(make_observer(options.method).status());
  ZP_RETURN_IF_ERROR(check_data(graph, data));
  std::int64_t total = data[0]->size();
  // A graph for batches of one size runs that many samples at once, others as many as there are.
  std::int64_t fixed = fixed_batch(graph).value_or(0);
  if (fixed > 0 && total % fixed != 0) {
    return Status::invalid_argument(
        fmt::format("the graph takes batches of {} samples, and {} are no multiple of it", fixed, total));
  }
  std::int64_t unit = std::max<std::int64_t>(fixed, 1);
  std::int64_t batch_size = (options.batch_size + unit - 1) / unit * unit;
  ZP_ASSIGN_OR_RETURN(std::vector<Worker> workers, make_workers(graph, options));
  ZP_ASSIGN_OR_RETURN(Epochs epochs, Epochs::start(data, batch_size));
  Team team(static_cast<int>(workers.size()));
  RangeTable table{options.method, 0, data[0]->description(), {}};
  while (true) {
    ZP_ASSIGN_OR_RETURN(std::vector<Batch> batches, epochs.next());
    if (batches.empty()) {
      break;
    }
    auto samples = static_cast<std::int64_t>(batches[0].indices.size());
    ZP_RETURN_IF_ERROR(
        run_in_parts(team, samples / unit, "calibration", [&](std::size_t part, PartRange units) {
          PartRange range{units.begin * unit, units.end * unit};
          return workers[part].observe(batches, range, fixed > 0 ? fixed : samples);
        }));
    table.samples += samples;
    if (options.progress) {
      options.progress(table.samples, total);
    }
  }
  for (std::size_t i = 1; i < workers.size(); ++i) {
    ZP_RETURN_IF_ERROR(workers[0].calibrator.merge(workers[i].calibrator));
  }
  table.ranges = workers[0].calibrator.ranges();
  return table;
}

}  // namespace zeropoint::toolchain
