#pragma once

#include <cstdint>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {

/// A training between two epochs, as it is kept in a file: a dictionary of torch.save.
struct TrainingCheckpoint {
  StateDict model;
  StateDict best_model;  ///< not written where it is `model` itself
  bool model_is_best = false;
  StateDict optimizer_state;
  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t step = 0;   ///< steps done, of all epochs
  std::int64_t best_epoch = 0;
  double best_accuracy = 0;
  // What must be the same to continue.
  std::string optimizer;
  std::string schedule;
  std::int64_t batch_size = 0;
  double learning_rate = 0;
  std::uint64_t seed = 0;
};

Status write_training_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint);

/// kInvalidArgument, naming the file and the key, for a checkpoint that is not of a training.
Result<TrainingCheckpoint> read_training_checkpoint(const std::string& path);

/// An error that names the setting in which `wanted` differs from `saved`, if one does.
Status check_same_training(const TrainingCheckpoint& saved, const TrainingCheckpoint& wanted);

}  // namespace zeropoint::toolchain
