#include "train/training_checkpoint.h"

#include <fmt/format.h>

#include <bit>

namespace zeropoint::toolchain {
namespace {

CheckpointValue dict_of(const StateDict& tensors) {
  CheckpointDict dict;
  for (const auto& [name, tensor] : tensors.tensors) {
    dict.entries.push_back({name, {tensor}});
  }
  return {std::move(dict)};
}

/// Reads the entries of a checkpoint by key, and names the key that is missing or of another kind.
class Reader {
 public:
  Reader(const CheckpointDict& dict, std::string path) : dict_(dict), path_(std::move(path)) {}

  [[nodiscard]] bool has(std::string_view key) const { return dict_.find(key) != nullptr; }

  template <typename T>
  Status read(std::string_view key, T& target) const {
    const CheckpointValue* value = dict_.find(key);
    const T* found = value == nullptr ? nullptr : value->get<T>();
    if (found == nullptr) {
      return Status::invalid_argument(fmt::format(
          "{}: no '{}' as a checkpoint of a training has it; only such can be resumed", path_, key));
    }
    target = *found;
    return {};
  }

  Status read_tensors(std::string_view key, StateDict& target) const {
    CheckpointDict dict;
    ZP_RETURN_IF_ERROR(read(key, dict));
    for (CheckpointEntry& entry : dict.entries) {
      auto* name = std::get_if<std::string>(&entry.key);
      auto* tensor = std::get_if<Tensor>(&entry.value.content);
      if (name == nullptr || tensor == nullptr) {
        return Status::invalid_argument(
            fmt::format("{}: '{}' holds something that is not a tensor", path_, key));
      }
      target.tensors.emplace_back(std::move(*name), std::move(*tensor));
    }
    return {};
  }

 private:
  const CheckpointDict& dict_;
  std::string path_;
};

template <typename T>
Status same(std::string_view what, const T& saved, const T& wanted) {
  return saved == wanted
             ? Status()
             : Status::invalid_argument(fmt::format(
                   "the {} was {} and now is {}; a resumed training must keep it", what, saved, wanted));
}

}  // namespace

Status write_training_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint) {
  CheckpointDict dict;
  auto add = [&](const char* key, CheckpointValue value) { dict.entries.push_back({key, std::move(value)}); };
  add("model", dict_of(checkpoint.model));
  if (!checkpoint.model_is_best) {
    add("best_model", dict_of(checkpoint.best_model));
  }
  add("optimizer", {checkpoint.optimizer});
  add("optimizer_state", dict_of(checkpoint.optimizer_state));
  add("epoch", {checkpoint.epoch});
  add("step", {checkpoint.step});
  add("best_epoch", {checkpoint.best_epoch});
  add("best_accuracy", {checkpoint.best_accuracy});
  add("schedule", {checkpoint.schedule});
  add("learning_rate", {checkpoint.learning_rate});
  add("batch_size", {checkpoint.batch_size});
  // Python's integers have no limit but those of the file format are signed.
  add("seed", {std::bit_cast<std::int64_t>(checkpoint.seed)});
  return write_checkpoint(path, {std::move(dict)});
}

Result<TrainingCheckpoint> read_training_checkpoint(const std::string& path) {
  ZP_ASSIGN_OR_RETURN(CheckpointValue value, read_checkpoint(path));
  const auto* dict = value.get<CheckpointDict>();
  if (dict == nullptr) {
    return Status::invalid_argument(path + ": not a checkpoint of a training; only such can be resumed");
  }
  Reader reader(*dict, path);
  TrainingCheckpoint checkpoint;
  ZP_RETURN_IF_ERROR(reader.read_tensors("model", checkpoint.model));
  checkpoint.model_is_best = !reader.has("best_model");
  if (checkpoint.model_is_best) {
    checkpoint.best_model = checkpoint.model;
  } else {
    ZP_RETURN_IF_ERROR(reader.read_tensors("best_model", checkpoint.best_model));
  }
  ZP_RETURN_IF_ERROR(reader.read("optimizer", checkpoint.optimizer));
  ZP_RETURN_IF_ERROR(reader.read_tensors("optimizer_state", checkpoint.optimizer_state));
  ZP_RETURN_IF_ERROR(reader.read("epoch", checkpoint.epoch));
  ZP_RETURN_IF_ERROR(reader.read("step", checkpoint.step));
  ZP_RETURN_IF_ERROR(reader.read("best_epoch", checkpoint.best_epoch));
  ZP_RETURN_IF_ERROR(reader.read("best_accuracy", checkpoint.best_accuracy));
  ZP_RETURN_IF_ERROR(reader.read("schedule", checkpoint.schedule));
  ZP_RETURN_IF_ERROR(reader.read("learning_rate", checkpoint.learning_rate));
  ZP_RETURN_IF_ERROR(reader.read("batch_size", checkpoint.batch_size));
  std::int64_t seed = 0;
  ZP_RETURN_IF_ERROR(reader.read("seed", seed));
  checkpoint.seed = std::bit_cast<std::uint64_t>(seed);
  if (checkpoint.epoch < 0 || checkpoint.step < 0) {
    return Status::invalid_argument(path + ": the number of epochs or steps is negative");
  }
  return checkpoint;
}

Status check_same_training(const TrainingCheckpoint& saved, const TrainingCheckpoint& wanted) {
  ZP_RETURN_IF_ERROR(same("optimizer", saved.optimizer, wanted.optimizer));
  ZP_RETURN_IF_ERROR(same("schedule", saved.schedule, wanted.schedule));
  ZP_RETURN_IF_ERROR(same("learning rate", saved.learning_rate, wanted.learning_rate));
  ZP_RETURN_IF_ERROR(same("batch size", saved.batch_size, wanted.batch_size));
  return same("seed", saved.seed, wanted.seed);
}

}  // namespace zeropoint::toolchain
