#include "train/data_parallel.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "parallel/split_batch.h"
#include "zeropoint/toolchain/loss.h"

namespace zeropoint::toolchain {
namespace {

std::int64_t count_correct(const Tensor& scores, std::span<const std::int64_t> labels) {
  std::size_t classes = static_cast<std::size_t>(scores.size()) / labels.size();
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::span<const float> row = scores.data<float>().subspan(i * classes, classes);
    auto best = std::max_element(row.begin(), row.end()) - row.begin();
    correct += best == labels[i] ? 1 : 0;
  }
  return correct;
}

/// to += from
void add(std::span<const float> from, std::span<float> to) {
  std::transform(to.begin(), to.end(), from.begin(), to.begin(), std::plus<>());
}

}  // namespace

DataParallel::DataParallel(std::vector<TrainingExecutor> replicas)
    : replicas_(std::move(replicas)), team_(std::make_unique<Team>(static_cast<int>(replicas_.size()))) {}

Result<DataParallel> DataParallel::create(const Graph& graph, int threads) {
  std::vector<TrainingExecutor> replicas;
  for (int i = 0; i < threads_or_all(threads); ++i) {
    ZP_ASSIGN_OR_RETURN(TrainingExecutor replica, TrainingExecutor::create(graph, {1}));
    replicas.push_back(std::move(replica));
  }
  return DataParallel(std::move(replicas));
}

void DataParallel::take_over_parameters(std::size_t replica) {
  if (replica == 0) {
    return;
  }
  std::span<const Parameter> from = replicas_[0].parameters();
  std::span<Parameter> to = replicas_[replica].parameters();
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::memcpy(to[i].data.bytes(), from[i].data.bytes(), from[i].data.byte_size());
  }
}

Result<BatchLoss> DataParallel::compute_part(std::size_t replica, const Batch& batch, std::int64_t begin,
                                             std::int64_t end) {
  take_over_parameters(replica);
  TrainingExecutor& executor = replicas_[replica];
  bool whole = end - begin == batch.inputs.dim(0);
  auto count = static_cast<std::size_t>(end - begin);
  std::span<const std::int64_t> labels =
      std::span(batch.labels).subspan(static_cast<std::size_t>(begin), count);
  ZP_ASSIGN_OR_RETURN(Tensor scores, whole ? executor.forward(batch.inputs)
                                           : executor.forward(slice_batch(batch.inputs, {begin, end})));
  ZP_ASSIGN_OR_RETURN(Loss loss, softmax_cross_entropy(scores, labels));
  BatchLoss result{loss.value, count_correct(scores, labels)};
  if (!std::isfinite(loss.value)) {
    return result;
  }
  if (!whole) {
    // The part's mean becomes its share of the batch's mean.
    float share = static_cast<float>(end - begin) / static_cast<float>(batch.inputs.dim(0));
    std::span<float> gradient = loss.gradient.data<float>();
    std::transform(gradient.begin(), gradient.end(), gradient.begin(), [&](float g) { return g * share; });
  }
  ZP_RETURN_IF_ERROR(executor.backward(loss.gradient));
  return result;
}

Result<BatchLoss> DataParallel::forward_backward(const Batch& batch) {
  auto samples = static_cast<std::int64_t>(batch.labels.size());
  std::vector<BatchLoss> parts(replicas_.size());
  std::vector<double> shares(replicas_.size(), 0);
  ZP_RETURN_IF_ERROR(
      run_in_parts(*team_, samples, "training", [&](std::size_t part, PartRange range) -> Status {
        ZP_ASSIGN_OR_RETURN(parts[part], compute_part(part, batch, range.begin, range.end));
        shares[part] = static_cast<double>(range.end - range.begin) / static_cast<double>(samples);
        return {};
      }));
  BatchLoss total;
  for (std::size_t part = 0; part < parts.size() && shares[part] > 0; ++part) {
    total.loss += parts[part].loss * shares[part];
    total.correct += parts[part].correct;
    for (std::size_t i = 0; part > 0 && i < parameters().size(); ++i) {
      add(replicas_[part].parameters()[i].gradient.data<float>(), parameters()[i].gradient.data<float>());
    }
  }
  return total;
}

Result<Tensor> DataParallel::forward(const Tensor& inputs) {
  return map_in_parts(*team_, std::span(&inputs, 1), "training",
                      [&](std::size_t part, std::span<const Tensor> some) {
                        take_over_parameters(part);
                        return replicas_[part].forward(some[0]);
                      });
}

}  // namespace zeropoint::toolchain
