#include "zeropoint/toolchain/state_dict.h"

#include <fmt/format.h>

#include <algorithm>

#include "import/printable.h"
#include "io/catch_exceptions.h"

namespace zeropoint::toolchain {
namespace {

std::string name_of(const CheckpointKey& key) {
  const auto* name = std::get_if<std::string>(&key);
  return name != nullptr ? printable(*name) : std::to_string(std::get<std::int64_t>(key));
}

std::string_view kind_of(const CheckpointValue& value) {
  constexpr std::string_view kKinds[] = {"None",     "a bool",   "an integer", "a float",
                                         "a string", "a tensor", "a list",     "a dictionary"};
  return kKinds[value.content.index()];
}

bool is_tensor_of_name(const CheckpointEntry& entry) {
  return entry.value.get<Tensor>() != nullptr && std::holds_alternative<std::string>(entry.key);
}

/// The dictionary of tensors in a checkpoint: the checkpoint itself, or what training scripts call it by
/// habit.
CheckpointDict& find_parameters(CheckpointDict& checkpoint) {
  if (!std::ranges::all_of(checkpoint.entries, is_tensor_of_name)) {
    for (std::string_view name : {"state_dict", "model", "model_state_dict"}) {
      for (CheckpointEntry& entry : checkpoint.entries) {
        auto* inner = std::get_if<CheckpointDict>(&entry.value.content);
        if (inner != nullptr && entry.key == CheckpointKey(std::string(name))) {
          return *inner;
        }
      }
    }
  }
  return checkpoint;
}

}  // namespace

bool operator==(const CheckpointValue& a, const CheckpointValue& b) { return a.content == b.content; }

bool operator==(const CheckpointSequence& a, const CheckpointSequence& b) {
  return a.is_tuple == b.is_tuple && a.items == b.items;
}

bool operator==(const CheckpointDict& a, const CheckpointDict& b) { return a.entries == b.entries; }

bool operator==(const CheckpointEntry& a, const CheckpointEntry& b) {
  return a.key == b.key && a.value == b.value;
}

const CheckpointValue* CheckpointDict::find(std::string_view key) const {
  for (const CheckpointEntry& entry : entries) {
    const auto* name = std::get_if<std::string>(&entry.key);
    if (name != nullptr && *name == key) {
      return &entry.value;
    }
  }
  return nullptr;
}

const Tensor* StateDict::find(std::string_view name) const {
  auto found =
      std::ranges::find(tensors, name, [](const auto& entry) { return std::string_view(entry.first); });
  return found == tensors.end() ? nullptr : &found->second;
}

Result<StateDict> to_state_dict(CheckpointValue checkpoint, const std::string& name) {
  return catch_exceptions(name, [&]() -> Result<StateDict> {
    auto* top = std::get_if<CheckpointDict>(&checkpoint.content);
    if (top == nullptr) {
      return Status::invalid_argument(
          fmt::format("{}: holds {}, not a dictionary of tensors by name; save model.state_dict()", name,
                      kind_of(checkpoint)));
    }
    StateDict result;
    for (CheckpointEntry& entry : find_parameters(*top).entries) {
      if (!is_tensor_of_name(entry)) {
        return Status::invalid_argument(
            fmt::format("{}: key {} holds {}; a state dict holds tensors by name, at the top or under "
                        "state_dict, model or model_state_dict",
                        name, name_of(entry.key), kind_of(entry.value)));
      }
      result.tensors.emplace_back(std::get<std::string>(std::move(entry.key)),
                                  std::get<Tensor>(std::move(entry.value.content)));
    }
    return result;
  });
}

Result<StateDict> read_state_dict(const std::string& path) {
  ZP_ASSIGN_OR_RETURN(CheckpointValue checkpoint, read_checkpoint(path));
  return to_state_dict(std::move(checkpoint), path);
}

}  // namespace zeropoint::toolchain
