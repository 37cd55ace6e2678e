#include "train/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

/// How many classes come before `label`: higher scores, and equal ones of lower number. A NaN comes last.
std::int64_t rank_of(std::span<const float> scores, std::size_t label) {
  float own = scores[label];
  std::int64_t before = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    bool is_before = std::isnan(own) ? i != label : (scores[i] > own || (scores[i] == own && i < label));
    before += is_before ? 1 : 0;
  }
  return before;
}

/// -log(softmax(scores)[label]).
double cross_entropy(std::span<const float> scores, std::size_t label) {
  auto largest = static_cast<double>(*std::max_element(scores.begin(), scores.end()));
  double sum = 0;
  for (float score : scores) {
    sum += std::exp(static_cast<double>(score) - largest);
  }
  return std::log(sum) - (static_cast<double>(scores[label]) - largest);
}

}  // namespace

std::int64_t best_class(std::span<const float> scores) {
  std::int64_t best = -1;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i]) && (best < 0 || scores[i] > scores[static_cast<std::size_t>(best)])) {
      best = static_cast<std::int64_t>(i);
    }
  }
  return best;
}

Status Evaluator::add(const Batch& batch, const Tensor& scores) {
  auto samples = static_cast<std::int64_t>(batch.indices.size());
  std::int64_t each = data_.labels_per_sample();
  bool fits = scores.type() == ElementType::kFloat32 && scores.rank() >= 2 && scores.dim(0) == samples &&
              scores.size() > 0 && (each == 1 || (scores.rank() == 3 && scores.dim(1) == each));
  if (!fits) {
    return Status::invalid_argument(fmt::format(
        "the model gives scores {} {} for a batch of {} samples{}", zeropoint::name_of(scores.type()),
        zeropoint::to_string(scores.shape()), samples,
        each == 1 ? "" : fmt::format(" with {} labels each; [samples, labels, classes] is needed", each)));
  }
  std::int64_t all_scores = scores.size() / (samples * each);
  std::int64_t unused = std::max<std::int64_t>(options_.label_offset, 0);
  std::int64_t classes = all_scores - unused;
  if (classes < 1) {
    return Status::invalid_argument(
        fmt::format("the label offset {} leaves none of the model's {} scores", unused, all_scores));
  }
  ZP_RETURN_IF_ERROR(set_classes(classes));
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    std::int64_t given = batch.labels[i];
    if (given == -1 && each > 1) {
      result_.predictions.push_back(-1);
      continue;
    }
    std::int64_t label = given + std::min<std::int64_t>(options_.label_offset, 0);
    if (label < 0 || label >= classes) {
      return Status::invalid_argument(
          label_error(batch.indices[i / static_cast<std::size_t>(each)], given, classes));
    }
    count(label, scores.data<float>().subspan(
                     i * static_cast<std::size_t>(all_scores) + static_cast<std::size_t>(unused),
                     static_cast<std::size_t>(classes)));
  }
  return {};
}

Result<Evaluation> Evaluator::finish() {
  if (result_.count == 0) {
    return Status::invalid_argument("there are no labels to evaluate on: " + data_.description());
  }
  result_.mean_loss = loss_sum_ / static_cast<double>(result_.count);
  return std::move(result_);
}

std::string Evaluator::label_error(std::int64_t sample, std::int64_t label, std::int64_t classes) const {
  if (label == -1) {
    return fmt::format("sample {} has no label: {}", sample, data_.description());
  }
  std::string offset =
      options_.label_offset == 0 ? "" : fmt::format(" at label offset {}", options_.label_offset);
  return fmt::format("sample {} has label {}; the model has {} classes{}", sample, label, classes, offset);
}

Status Evaluator::set_classes(std::int64_t classes) {
  if (result_.classes.empty()) {
    result_.top_k = std::min(options_.top_k, classes);
    result_.classes.resize(static_cast<std::size_t>(classes));
    for (std::size_t i = 0; i < result_.classes.size(); ++i) {
      const std::vector<std::string>& names = data_.class_names();
      std::size_t number = i + static_cast<std::size_t>(-std::min<std::int64_t>(options_.label_offset, 0));
      result_.classes[i].name = number < names.size() ? names[number] : std::to_string(number);
    }
    if (options_.confusion) {
      result_.confusion.assign(result_.classes.size(), std::vector<std::int64_t>(result_.classes.size()));
    }
  }
  if (static_cast<std::int64_t>(result_.classes.size()) != classes) {
    return Status::invalid_argument(fmt::format("the model gives {} scores per sample and gave {} before",
                                                classes, result_.classes.size()));
  }
  return {};
}

void Evaluator::count(std::int64_t label, std::span<const float> scores) {
  std::int64_t prediction = best_class(scores);
  ClassResult& own = result_.classes[static_cast<std::size_t>(label)];
  ++own.count;
  if (prediction == label) {
    ++own.correct;
    ++result_.correct;
  }
  if (rank_of(scores, static_cast<std::size_t>(label)) < result_.top_k) {
    ++result_.top_k_correct;
  }
  if (options_.confusion && prediction >= 0) {
    ++result_.confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(prediction)];
  }
  std::int64_t number = prediction < 0 ? -1 : prediction - std::min<std::int64_t>(options_.label_offset, 0);
  if (!options_.reference_predictions.empty() &&
      options_.reference_predictions[result_.predictions.size()] == number) {
    ++result_.agreeing;
  }
  result_.predictions.push_back(number);
  auto place = static_cast<std::size_t>(label);
  loss_sum_ += options_.scores_are_probabilities ? -std::log(static_cast<double>(scores[place]))
                                                 : cross_entropy(scores, place);
  ++result_.count;
}

}  // namespace zeropoint::toolchain
