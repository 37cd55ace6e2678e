#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

struct CheckpointEntry;
struct CheckpointValue;

/// A Python list or tuple.
struct CheckpointSequence {
  std::vector<CheckpointValue> items;
  bool is_tuple = false;
};

/// A key of a Python dictionary.
using CheckpointKey = std::variant<std::string, std::int64_t>;

/// A Python dict or OrderedDict: unique keys in insertion order.
struct CheckpointDict {
  std::vector<CheckpointEntry> entries;

  /// The value of the string key `key`, or null.
  [[nodiscard]] const CheckpointValue* find(std::string_view key) const;
};

/// What a PyTorch checkpoint can hold. std::monostate is Python's None. A value type: copies are deep.
struct CheckpointValue {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Tensor, CheckpointSequence,
               CheckpointDict>
      content;

  /// The content when it is a T, or null.
  template <typename T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&content);
  }
};

struct CheckpointEntry {
  CheckpointKey key;
  CheckpointValue value;
};

/// Same structure, same order, same bits in the tensors; numbers are compared as numbers.
bool operator==(const CheckpointValue& a, const CheckpointValue& b);
bool operator==(const CheckpointSequence& a, const CheckpointSequence& b);
bool operator==(const CheckpointDict& a, const CheckpointDict& b);
bool operator==(const CheckpointEntry& a, const CheckpointEntry& b);

/// The parameters of a network by name, in the order of the file.
struct StateDict {
  std::vector<std::pair<std::string, Tensor>> tensors;

  /// The tensor called `name`, or null.
  [[nodiscard]] const Tensor* find(std::string_view name) const;
};

/// Reads a file of torch.save (PyTorch 1.6 and later: a zip archive around a pickle of protocol 2 to 5).
///
/// Only None, bool, numbers, strings, tensors, lists, tuples and dictionaries with string or integer keys are
/// built; a pickle that names any other class or function is refused (kUnsupported), never run. Tensors come
/// out dense and row-major whatever their strides were; tensors that shared a storage come out separate.
/// Parameters become tensors, torch.Size a tuple, the `_metadata` of a state dict is dropped.
///
/// The file may be hostile: nothing is executed, and memory stays below ten times the file's size plus 1 GB.
/// Errors name the file, the tensor or the place in the pickle: kNotFound and kIo from reading; kCorrupt when
/// the file contradicts itself; kUnsupported for TorchScript, the format before PyTorch 1.6, big-endian
/// files, quantized or complex tensors; kResourceExhausted beyond the limits above.
Result<CheckpointValue> read_checkpoint(const std::string& path);
/// The same for the content of a file; `name` stands for its path in messages.
Result<CheckpointValue> read_checkpoint(std::span<const std::byte> content, const std::string& name);

/// Reads a checkpoint that is a dictionary of tensors by name, or that holds one under "state_dict", "model"
/// or "model_state_dict". Any value in it that is not a tensor is an error (kInvalidArgument) that names its
/// key. Other errors as read_checkpoint.
Result<StateDict> read_state_dict(const std::string& path);
/// The same for a checkpoint that was read already; `name` stands for its path in messages.
Result<StateDict> to_state_dict(CheckpointValue checkpoint, const std::string& name);

/// Writes `value` as torch.save would, for torch.load with or without weights_only: protocol 2, uncompressed
/// records, storages aligned to 64 bytes. The same value gives the same bytes. The file is replaced as a
/// whole or not at all. Errors: kIo; kInvalidArgument for a dictionary with equal keys, a string that is not
/// UTF-8 or nesting deeper than read_checkpoint accepts; kUnsupported for the element types uint16, uint32
/// and uint64, for which PyTorch has no storage.
Status write_checkpoint(const std::string& path, const CheckpointValue& value);

/// Writes a dictionary of tensors, see write_checkpoint.
Status write_state_dict(const std::string& path, const StateDict& state_dict);

}  // namespace zeropoint::toolchain
