#include "zeropoint/toolchain/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "graph/op_info.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/loader.h"

namespace zeropoint::toolchain {
namespace {

/// One observer per float value of a graph.
class Calibrator {
 public:
  explicit Calibrator(const Graph& graph) : graph_(graph), producers_(producers(graph)) {}

  Status observe(ValueId id, const Tensor& batch, std::span<const std::int64_t> samples,
                 const std::string& method) {
    if (batch.type() != ElementType::kFloat32) {
      return {};
    }
    std::span<const float> values = batch.data<float>();
    ZP_RETURN_IF_ERROR(check_finite(id, values, samples));
    std::unique_ptr<Observer>& observer = observers_[graph_.value(id).name];
    if (observer == nullptr) {
      ZP_ASSIGN_OR_RETURN(observer, make_observer(method));
    }
    observer->observe(values);
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
  std::map<std::string, std::unique_ptr<Observer>> observers_;
};

}  // namespace

Result<RangeTable> calibrate(const Graph& graph, std::shared_ptr<const Dataset> data,
                             const CalibrationOptions& options) {
  ZP_RETURN_IF_ERROR(make_observer(options.method).status());
  if (graph.inputs.size() != 1) {
    return Status::unsupported("calibration needs a graph with one input");
  }
  std::int64_t total = data->size();
  if (total == 0) {
    return Status::invalid_argument("calibration needs samples, and there are none in: " +
                                    data->description());
  }
  ZP_ASSIGN_OR_RETURN(FloatExecutor executor, FloatExecutor::create(graph, {options.threads}));
  ZP_ASSIGN_OR_RETURN(DataLoader loader, DataLoader::make(data, {.batch_size = options.batch_size}));
  ZP_ASSIGN_OR_RETURN(Epoch epoch, loader.epoch(0));
  Calibrator calibrator(graph);
  RangeTable table{options.method, 0, data->description(), {}};
  while (true) {
    ZP_ASSIGN_OR_RETURN(std::optional<Batch> batch, epoch.next());
    if (!batch) {
      break;
    }
    ValueObserver observer{[&](ValueId id, const Tensor& tensor) {
                             return calibrator.observe(id, tensor, batch->indices, options.method);
                           },
                           {}};
    ZP_RETURN_IF_ERROR(executor.run(std::span(&batch->inputs, 1), observer).status());
    table.samples += static_cast<std::int64_t>(batch->indices.size());
    if (options.progress) {
      options.progress(table.samples, total);
    }
  }
  table.ranges = calibrator.ranges();
  return table;
}

}  // namespace zeropoint::toolchain
