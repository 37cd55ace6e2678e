#include "zeropoint/toolchain/evaluate.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/joint_epoch.h"
#include "train/evaluator.h"

namespace zeropoint::toolchain {

const std::shared_ptr<const Dataset>& labelled_one(std::span<const std::shared_ptr<const Dataset>> data) {
  auto has_labels = [](const std::shared_ptr<const Dataset>& some) {
    return some->labels_per_sample() != 1 || (some->size() > 0 && some->label(0) != -1);
  };
  auto first = std::find_if(data.begin(), data.end(), has_labels);
  return first == data.end() ? data.front() : *first;
}

Result<Evaluation> evaluate(const Model& model, const std::shared_ptr<const Dataset>& data,
                            const EvaluationOptions& options) {
  return evaluate(model, std::span(&data, 1), options);
}

Result<Evaluation> evaluate(const Model& model, std::span<const std::shared_ptr<const Dataset>> inputs,
                            const EvaluationOptions& options) {
  if (inputs.empty()) {
    return Status::invalid_argument("there are no samples to evaluate on");
  }
  const std::shared_ptr<const Dataset>& data = labelled_one(inputs);
  if (data->size() == 0) {
    return Status::invalid_argument("there are no samples to evaluate on: " + data->description());
  }
  if (options.top_k < 1) {
    return Status::invalid_argument(fmt::format("top_k is {}; 1 or more is needed", options.top_k));
  }
  if (!options.reference_predictions.empty() &&
      static_cast<std::int64_t>(options.reference_predictions.size()) !=
          data->size() * data->labels_per_sample()) {
    return Status::invalid_argument(fmt::format("there are {} reference predictions for {} labels",
                                                options.reference_predictions.size(),
                                                data->size() * data->labels_per_sample()));
  }
  ZP_ASSIGN_OR_RETURN(JointEpoch epoch, JointEpoch::start(inputs, options.batch_size));
  Evaluator evaluator(*data, options);
  auto labelled = static_cast<std::size_t>(&data - inputs.data());
  while (true) {
    ZP_ASSIGN_OR_RETURN(std::vector<Batch> batches, epoch.next());
    if (batches.empty()) {
      return evaluator.finish();
    }
    std::vector<Tensor> tensors;
    for (Batch& batch : batches) {
      tensors.push_back(std::move(batch.inputs));
    }
    if (options.preprocess) {
      ZP_RETURN_IF_ERROR(options.preprocess(tensors));
    }
    ZP_ASSIGN_OR_RETURN(Tensor scores, model(tensors));
    ZP_RETURN_IF_ERROR(evaluator.add(batches[labelled], scores));
  }
}

}  // namespace zeropoint::toolchain
