#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/optimizer.h"
#include "zeropoint/toolchain/schedule.h"

namespace zeropoint::toolchain {

/// Where training is after a step. Epochs and steps count from 1.
struct StepReport {
  std::int64_t epoch = 0;
  std::int64_t epochs = 0;
  std::int64_t step = 0;     ///< in this epoch
  std::int64_t steps = 0;    ///< of one epoch
  std::int64_t samples = 0;  ///< seen in this epoch
  double loss = 0;           ///< of this batch
  double mean_loss = 0;      ///< per sample, in this epoch so far
  double accuracy = 0;       ///< in this epoch so far, each batch before its own step
  double learning_rate = 0;  ///< of this step
  double seconds = 0;        ///< since the epoch began

  [[nodiscard]] double samples_per_second() const {
    return seconds > 0 ? static_cast<double>(samples) / seconds : 0;
  }
};

struct EpochReport {
  StepReport training;                   ///< as after the epoch's last step
  std::optional<Evaluation> validation;  ///< when there is validation data
  double validation_seconds = 0;
  bool is_best = false;  ///< better than all epochs before
};

/// What a callback wants.
enum class Proceed : std::uint8_t { kContinue, kStop };

struct TrainerOptions {
  std::int64_t epochs = 5;
  std::int64_t batch_size = 64;
  double learning_rate = 0.01;
  Schedule schedule;
  std::uint64_t seed = 0;  ///< of the order of the samples
  int threads = 0;         ///< each computes a part of every batch; 0: as many as there are cores
  /// Called after every step and every epoch; kStop ends the training without an error. After kStop in the
  /// middle of an epoch, that epoch is neither evaluated nor saved.
  std::function<Proceed(const StepReport&)> on_step;
  std::function<Proceed(const EpochReport&)> on_epoch_end;
  /// Files written after each epoch, and after each that was the best so far; empty: not written. torch.load
  /// reads them, read_state_dict() finds the weights under "model", and `resume` continues from them.
  std::string last_checkpoint;
  std::string best_checkpoint;
  /// A checkpoint to continue from: same weights, bit for bit, as if the training had not been interrupted.
  /// The other options, the data and the optimizer's settings must be the same, save for the number of
  /// epochs, which may have grown (schedules that depend on it then change their course), and the files.
  std::string resume;
};

struct TrainingResult {
  Graph last;                   ///< the weights at the end
  Graph best;                   ///< those of the best epoch, or `last` when no epoch was finished
  std::int64_t best_epoch = 0;  ///< from 1; 0 when no epoch was finished
  double best_accuracy = 0;
  std::vector<EpochReport> epochs;  ///< of this call
  bool stopped = false;             ///< by a callback
};

/// Trains the trainable_values() of `graph`, which maps a batch of samples to scores, by softmax
/// cross-entropy. The best epoch is the first with the highest accuracy on `validation`, or in training when
/// that is null. The same graph, data, options and optimizer settings give the same bits.
///
/// `optimizer` is to be a new one; it holds its state afterwards. kInvalidArgument for options that make no
/// sense, labels that are no class (naming the sample), a resumed checkpoint that does not fit (naming what
/// differs), and a loss that is NaN or infinite (naming epoch and step); otherwise what the data, the files
/// or the executor ran into.
Result<TrainingResult> train(const Graph& graph, std::shared_ptr<const Dataset> data,
                             std::shared_ptr<const Dataset> validation, Optimizer& optimizer,
                             const TrainerOptions& options);

}  // namespace zeropoint::toolchain
