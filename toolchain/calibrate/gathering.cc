#include "calibrate/gathering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibrate/channel_axes.h"
#include "graph/attention_mask.h"

namespace zeropoint::toolchain {

Gathering::Gathering(const Graph& graph)
    : graph_(graph), producers_(producers(graph)), axes_(channel_axes(graph)), entries_(graph.values.size()) {
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.type == ElementType::kFloat32 && value.constant == nullptr) {
      entries_[i] = std::make_unique<Entry>();
    }
  }
  // Masks and masked scores may be -inf, and their ranges come of that of the scores.
  std::vector<std::vector<std::int32_t>> readers = consumers(graph);
  for (const Node& node : graph.nodes) {
    std::optional<AttentionMask> mask = attention_mask(graph, node, readers);
    if (!mask) {
      continue;
    }
    for (const std::vector<ValueId>* values : {&mask->mask, &mask->masked}) {
      for (ValueId id : *values) {
        entries_[static_cast<std::size_t>(id)] = nullptr;
      }
    }
  }
}

void Gathering::begin(std::size_t runs) {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry != nullptr) {
      entry->runs.assign(runs, {});
    }
  }
}

Status Gathering::observe(ValueId id, const Tensor& tensor, std::size_t run,
                          std::span<const std::int64_t> samples, TensorStatistics& scratch) {
  Entry* entry = entries_[static_cast<std::size_t>(id)].get();
  if (entry == nullptr || tensor.type() != ElementType::kFloat32) {
    return {};
  }
  std::int64_t axis = axes_[static_cast<std::size_t>(id)];
  // Below this many values, merging bins costs more than it keeps other threads waiting.
  constexpr std::int64_t kWorthMerging = 32768;
  Result<RealRange> range = RealRange();
  if (tensor.size() < kWorthMerging) {
    std::lock_guard lock(entry->mutex);
    range = entry->seen.add(tensor, axis);
  } else {
    scratch.clear();
    range = scratch.add(tensor, axis);
    std::lock_guard lock(entry->mutex);
    entry->seen.merge(scratch);
  }
  if (!range.ok()) {
    return not_finite(id, tensor.data<float>(), samples);
  }
  entry->runs[run] = *range;
  return {};
}

void Gathering::end() {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    for (const RealRange& run : entry != nullptr ? entry->runs : std::vector<RealRange>()) {
      if (run.r_min <= run.r_max) {
        entry->seen.moving_average.add(run);
      }
    }
  }
}

std::map<std::string, TensorStatistics> Gathering::take() {
  std::map<std::string, TensorStatistics> result;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i] != nullptr && entries_[i]->seen.count() > 0) {
      result[graph_.values[i].name] = std::move(entries_[i]->seen);
    }
  }
  return result;
}

Status Gathering::not_finite(ValueId id, std::span<const float> values,
                             std::span<const std::int64_t> samples) const {
  auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  std::size_t per_sample = std::max<std::size_t>(1, values.size() / samples.size());
  std::size_t sample =
      std::min(static_cast<std::size_t>(bad - values.begin()) / per_sample, samples.size() - 1);
  std::int32_t maker = producers_[static_cast<std::size_t>(id)];
  return Status::invalid_argument(fmt::format(
      "tensor '{}' ({}) is {} at sample {}", graph_.value(id).name,
      maker < 0 ? "an input" : "made by " + describe(graph_.nodes[static_cast<std::size_t>(maker)]), *bad,
      samples[sample]));
}

}  // namespace zeropoint::toolchain
