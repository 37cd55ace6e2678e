#include "zeropoint/toolchain/evaluate.h"

#include <fmt/format.h>

#include "train/evaluator.h"

namespace zeropoint::toolchain {

Result<Evaluation> evaluate(const Model& model, std::shared_ptr<const Dataset> data,
                            const EvaluationOptions& options) {
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
  LoaderOptions loading;
  loading.batch_size = options.batch_size;
  ZP_ASSIGN_OR_RETURN(DataLoader loader, DataLoader::make(std::move(data), loading));
  ZP_ASSIGN_OR_RETURN(Epoch epoch, loader.epoch(0));
  Evaluator evaluator(loader.data(), options);
  while (true) {
    ZP_ASSIGN_OR_RETURN(std::optional<Batch> batch, epoch.next());
    if (!batch.has_value()) {
      return evaluator.finish();
    }
    if (options.preprocess) {
      ZP_RETURN_IF_ERROR(options.preprocess(batch->inputs));
    }
    ZP_ASSIGN_OR_RETURN(Tensor scores, model(batch->inputs));
    ZP_RETURN_IF_ERROR(evaluator.add(*batch, scores));
  }
}

}  // namespace zeropoint::toolchain
