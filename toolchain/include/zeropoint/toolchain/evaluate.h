#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/dataset.h"

namespace zeropoint::toolchain {

/// From a batch of each input, [N, sample shape...], to scores, float32 [N, classes] (further extents of 1
/// allowed), or [N, labels, classes] for data with several labels per sample. Whatever computes them: the
/// float executor, the reference interpreter, a session, another program.
using Model = std::function<Result<Tensor>(std::span<const Tensor> inputs)>;

struct EvaluationOptions {
  std::int64_t batch_size = 256;
  /// Also counts the samples whose label is among the k highest scores.
  std::int64_t top_k = 5;
  bool confusion = false;
  /// The number of a class in the model, less its label in the data. Above 0, the model's first scores are no
  /// classes of the data (a background class, say) and are left out.
  std::int64_t label_offset = 0;
  /// The scores are probabilities already, of a model that ends in Softmax: the loss takes no second one.
  bool scores_are_probabilities = false;
  /// Changes each batch before the model sees it, such as quantizing and dequantizing it.
  std::function<Status(std::span<Tensor> inputs)> preprocess;
  /// What another model predicted for each label, to count how often this one agrees.
  std::vector<std::int64_t> reference_predictions;
};

struct ClassResult {
  std::string name;
  std::int64_t count = 0;    ///< labels of this class
  std::int64_t correct = 0;  ///< of these, predicted as it
};

struct Evaluation {
  std::int64_t count = 0;  ///< labels that count: one per sample, or those of all positions that are not -1
  std::int64_t correct = 0;
  std::int64_t top_k = 0;  ///< the k: that of the options, or the number of classes if that is less
  std::int64_t top_k_correct = 0;
  double mean_loss = 0;  ///< softmax cross-entropy per label, in nats
  std::vector<ClassResult> classes;
  /// confusion[label][prediction] if asked for.
  std::vector<std::vector<std::int64_t>> confusion;
  /// The class with the highest score for each label, the first of equal ones, numbered as the data's labels;
  /// -1 where all scores are NaN, and for labels that do not count.
  std::vector<std::int64_t> predictions;
  std::int64_t agreeing = 0;  ///< predictions equal to reference_predictions

  [[nodiscard]] double accuracy() const { return ratio(correct); }
  [[nodiscard]] double top_k_accuracy() const { return ratio(top_k_correct); }
  [[nodiscard]] double agreement() const { return ratio(agreeing); }

 private:
  [[nodiscard]] double ratio(std::int64_t part) const {
    return count == 0 ? 0 : static_cast<double>(part) / static_cast<double>(count);
  }
};

/// Runs `model` over all samples of `data` in order. A label of -1 does not count where samples have several.
/// kInvalidArgument when there are no labels to count, a label is not among the model's classes (naming the
/// sample), the scores do not fit the batch, or the reference predictions are not as many as the labels;
/// otherwise the errors of the model, the data or the hook.
Result<Evaluation> evaluate(const Model& model, const std::shared_ptr<const Dataset>& data,
                            const EvaluationOptions& options = {});
/// The same for a model of several inputs: one data set for each, with the same samples in the same order.
/// The labels are those of the first that has any.
Result<Evaluation> evaluate(const Model& model, std::span<const std::shared_ptr<const Dataset>> data,
                            const EvaluationOptions& options = {});

/// The data set among those of a model's inputs whose labels count: the first that has any, else the first.
const std::shared_ptr<const Dataset>& labelled_one(std::span<const std::shared_ptr<const Dataset>> data);

}  // namespace zeropoint::toolchain
