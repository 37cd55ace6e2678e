#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/loader.h"

namespace zeropoint::toolchain {

/// Index of the highest score, the first of equal ones; -1 when all are NaN.
std::int64_t best_class(std::span<const float> scores);

/// Counts what evaluate() counts, batch by batch. Borrows data and options.
class Evaluator {
 public:
  Evaluator(const Dataset& data, const EvaluationOptions& options) : data_(data), options_(options) {}

  /// Of `batch`, only labels and indices are read.
  Status add(const Batch& batch, const Tensor& scores);
  Result<Evaluation> finish();

 private:
  [[nodiscard]] std::string label_error(std::int64_t sample, std::int64_t label, std::int64_t classes) const;
  Status set_classes(std::int64_t classes);
  void count(std::int64_t label, std::span<const float> scores);

  const Dataset& data_;
  const EvaluationOptions& options_;
  Evaluation result_;
  double loss_sum_ = 0;
};

}  // namespace zeropoint::toolchain
