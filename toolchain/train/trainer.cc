#include "zeropoint/toolchain/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "train/data_parallel.h"
#include "train/training_checkpoint.h"
#include "zeropoint/toolchain/loader.h"

namespace zeropoint::toolchain {
namespace {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Status check(const TrainerOptions& options) {
  if (options.epochs < 1 || options.batch_size < 1) {
    return Status::invalid_argument(fmt::format("epochs is {} and the batch size {}; 1 or more is needed",
                                                options.epochs, options.batch_size));
  }
  constexpr int kMostThreads = 1024;  // each holds a replica of the network
  if (options.threads < 0 || options.threads > kMostThreads) {
    return Status::invalid_argument(
        fmt::format("the number of threads is {}; 0 (all) to {} is needed", options.threads, kMostThreads));
  }
  if (!(options.learning_rate >= 0) || !std::isfinite(options.learning_rate)) {
    return Status::invalid_argument(
        fmt::format("the learning rate is {}; a finite number from 0 on is needed", options.learning_rate));
  }
  return {};
}

class Training {
 public:
  Training(DataParallel executor, DataLoader loader, std::shared_ptr<const Dataset> validation,
           Optimizer& optimizer, const TrainerOptions& options)
      : executor_(std::move(executor)),
        loader_(std::move(loader)),
        validation_(std::move(validation)),
        optimizer_(optimizer),
        options_(options) {
    result_.best = executor_.trained_graph();
  }

  Status resume(const std::string& path);
  Result<TrainingResult> run();

 private:
  Status run_epoch(StepReport& report);
  Status run_step(const Batch& batch, StepReport& report);
  Status finish_epoch(const StepReport& report);
  Status save() const;
  [[nodiscard]] double learning_rate() const;
  [[nodiscard]] TrainingCheckpoint settings() const;

  DataParallel executor_;
  DataLoader loader_;
  std::shared_ptr<const Dataset> validation_;
  Optimizer& optimizer_;
  const TrainerOptions& options_;
  std::int64_t epochs_done_ = 0;
  std::int64_t steps_done_ = 0;
  std::int64_t correct_ = 0;  // in this epoch
  TrainingResult result_;
};

TrainingCheckpoint Training::settings() const {
  TrainingCheckpoint checkpoint;
  checkpoint.optimizer = optimizer_.text();
  checkpoint.schedule = options_.schedule.text();
  checkpoint.learning_rate = options_.learning_rate;
  checkpoint.batch_size = options_.batch_size;
  checkpoint.seed = options_.seed;
  return checkpoint;
}

Status Training::resume(const std::string& path) {
  ZP_ASSIGN_OR_RETURN(TrainingCheckpoint saved, read_training_checkpoint(path));
  ZP_RETURN_IF_ERROR(check_same_training(saved, settings()).at(path));
  if (saved.epoch >= options_.epochs) {
    return Status::invalid_argument(fmt::format("{}: {} of {} epochs are done already; ask for more", path,
                                                saved.epoch, options_.epochs));
  }
  Graph graph = executor_.trained_graph();
  ZP_RETURN_IF_ERROR(load_parameters(graph, saved.model).at(path));
  ZP_RETURN_IF_ERROR(load_parameters(result_.best, saved.best_model).at(path));
  ZP_RETURN_IF_ERROR(optimizer_.restore(executor_.parameters(), saved.optimizer_state).at(path));
  for (Parameter& parameter : executor_.parameters()) {
    parameter.data = *graph.value(parameter.value).constant;
  }
  epochs_done_ = saved.epoch;
  steps_done_ = saved.step;
  result_.best_epoch = saved.best_epoch;
  result_.best_accuracy = saved.best_accuracy;
  return {};
}

double Training::learning_rate() const {
  bool per_step = options_.schedule.unit() == Schedule::Unit::kStep;
  std::int64_t position = per_step ? steps_done_ : epochs_done_;
  std::int64_t total = options_.epochs * (per_step ? loader_.batches() : 1);
  return options_.schedule.rate(options_.learning_rate, position, total);
}

Result<TrainingResult> Training::run() {
  while (epochs_done_ < options_.epochs && !result_.stopped) {
    StepReport report;
    report.epoch = epochs_done_ + 1;
    report.epochs = options_.epochs;
    report.steps = loader_.batches();
    ZP_RETURN_IF_ERROR(run_epoch(report));
    if (report.step == report.steps) {
      ZP_RETURN_IF_ERROR(finish_epoch(report));
    }
  }
  result_.last = executor_.trained_graph();
  if (result_.best_epoch == 0) {
    result_.best = result_.last;
  }
  return std::move(result_);
}

Status Training::run_epoch(StepReport& report) {
  Stopwatch watch;
  correct_ = 0;
  ZP_ASSIGN_OR_RETURN(Epoch epoch, loader_.epoch(epochs_done_));
  while (!result_.stopped) {
    ZP_ASSIGN_OR_RETURN(std::optional<Batch> batch, epoch.next());
    if (!batch.has_value()) {
      break;
    }
    ++report.step;
    ZP_RETURN_IF_ERROR(
        run_step(*batch, report).at(fmt::format("epoch {}, step {}", report.epoch, report.step)));
    report.seconds = watch.seconds();
    result_.stopped = options_.on_step && options_.on_step(report) == Proceed::kStop;
  }
  return {};
}

Status Training::run_step(const Batch& batch, StepReport& report) {
  report.learning_rate = learning_rate();
  ZP_ASSIGN_OR_RETURN(BatchLoss batch_loss, executor_.forward_backward(batch));
  if (!std::isfinite(batch_loss.loss)) {
    return Status::invalid_argument(
        fmt::format("the loss is {}; a learning rate below {} or other data may help", batch_loss.loss,
                    report.learning_rate));
  }
  ZP_RETURN_IF_ERROR(optimizer_.step(executor_.parameters(), report.learning_rate));
  ++steps_done_;
  auto samples = static_cast<std::int64_t>(batch.labels.size());
  correct_ += batch_loss.correct;
  double sum =
      report.mean_loss * static_cast<double>(report.samples) + batch_loss.loss * static_cast<double>(samples);
  report.samples += samples;
  report.loss = batch_loss.loss;
  report.mean_loss = sum / static_cast<double>(report.samples);
  report.accuracy = static_cast<double>(correct_) / static_cast<double>(report.samples);
  return {};
}

Status Training::finish_epoch(const StepReport& report) {
  ++epochs_done_;
  EpochReport epoch;
  epoch.training = report;
  double accuracy = report.accuracy;
  if (validation_ != nullptr) {
    Stopwatch watch;
    Model model = [this](std::span<const Tensor> inputs) { return executor_.forward(inputs[0]); };
    ZP_ASSIGN_OR_RETURN(epoch.validation, evaluate(model, validation_));
    epoch.validation_seconds = watch.seconds();
    accuracy = epoch.validation->accuracy();
  }
  if (result_.best_epoch == 0 || accuracy > result_.best_accuracy) {
    epoch.is_best = true;
    result_.best_epoch = epochs_done_;
    result_.best_accuracy = accuracy;
    result_.best = executor_.trained_graph();
  }
  ZP_RETURN_IF_ERROR(save());
  bool stop = options_.on_epoch_end && options_.on_epoch_end(epoch) == Proceed::kStop;
  result_.stopped = result_.stopped || stop;
  result_.epochs.push_back(std::move(epoch));
  return {};
}

Status Training::save() const {
  bool is_best = result_.best_epoch == epochs_done_;
  if (options_.last_checkpoint.empty() && (options_.best_checkpoint.empty() || !is_best)) {
    return {};
  }
  TrainingCheckpoint checkpoint = settings();
  checkpoint.model = parameters_of(executor_.trained_graph());
  checkpoint.best_model = parameters_of(result_.best);
  checkpoint.model_is_best = is_best;
  checkpoint.optimizer_state = optimizer_.state(executor_.parameters());
  checkpoint.epoch = epochs_done_;
  checkpoint.step = steps_done_;
  checkpoint.best_epoch = result_.best_epoch;
  checkpoint.best_accuracy = result_.best_accuracy;
  if (!options_.last_checkpoint.empty()) {
    ZP_RETURN_IF_ERROR(write_training_checkpoint(options_.last_checkpoint, checkpoint));
  }
  if (!options_.best_checkpoint.empty() && is_best) {
    ZP_RETURN_IF_ERROR(write_training_checkpoint(options_.best_checkpoint, checkpoint));
  }
  return {};
}

}  // namespace

Result<TrainingResult> train(const Graph& graph, std::shared_ptr<const Dataset> data,
                             std::shared_ptr<const Dataset> validation, Optimizer& optimizer,
                             const TrainerOptions& options) {
  ZP_RETURN_IF_ERROR(check(options));
  if (data->size() == 0) {
    return Status::invalid_argument("there are no samples to train on: " + data->description());
  }
  for (const Dataset* samples : {data.get(), validation.get()}) {
    if (samples != nullptr && samples->labels_per_sample() != 1) {
      return Status::unsupported("training needs one label per sample: " + samples->description());
    }
  }
  LoaderOptions loading;
  loading.batch_size = options.batch_size;
  loading.shuffle = true;
  loading.seed = options.seed;
  ZP_ASSIGN_OR_RETURN(DataLoader loader, DataLoader::make(std::move(data), loading));
  ZP_ASSIGN_OR_RETURN(DataParallel executor, DataParallel::create(graph, options.threads));
  Training training(std::move(executor), std::move(loader), std::move(validation), optimizer, options);
  if (!options.resume.empty()) {
    ZP_RETURN_IF_ERROR(training.resume(options.resume));
  }
  return training.run();
}

}  // namespace zeropoint::toolchain
