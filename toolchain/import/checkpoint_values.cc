#include "import/checkpoint_values.h"

#include <fmt/format.h>

#include <set>

#include "import/printable.h"
#include "import/strided.h"

namespace zeropoint::toolchain {
namespace {

/// One step from a container to a value in it: a string key, or else a number.
struct Step {
  const std::string* name;
  std::int64_t number;
};

/// After an error, `where()` says which value it was: the trail is left as it stood.
class Converter {
 public:
  Converter(const Pickle& pickle, std::size_t file_size, const StorageSource& storages)
      : pickle_(pickle),
        storages_(storages),
        budget_(kFreeValueBytes + kMaxExpansion * file_size),
        is_open_(pickle.objects.size()) {}

  Result<CheckpointValue> convert(PickleId id);
  [[nodiscard]] std::string where() const;

 private:
  Result<CheckpointValue> visit(std::monostate value) { return CheckpointValue{value}; }
  Result<CheckpointValue> visit(bool value) { return CheckpointValue{value}; }
  Result<CheckpointValue> visit(std::int64_t value) { return CheckpointValue{value}; }
  Result<CheckpointValue> visit(double value) { return CheckpointValue{value}; }
  Result<CheckpointValue> visit(const std::string& value) {
    ZP_RETURN_IF_ERROR(charge(value.size()));
    return CheckpointValue{value};
  }
  Result<CheckpointValue> visit(const PickleGlobal&) {
    return Status::unsupported("is a function or type, not a value");
  }
  Result<CheckpointValue> visit(const PickleStorage&) {
    return Status::unsupported("is a storage without a tensor; save a tensor");
  }
  Result<CheckpointValue> visit(const PickleTensor& tensor);
  Result<CheckpointValue> visit(const PickleSequence& sequence);
  Result<CheckpointValue> visit(const PickleDict& dict);

  [[nodiscard]] Result<Shape> read_integers(PickleId tuple) const;
  [[nodiscard]] Result<std::span<const std::byte>> find_bytes(const PickleStorage& storage) const;
  Status charge(std::size_t bytes);

  const Pickle& pickle_;
  const StorageSource& storages_;
  std::size_t budget_;
  std::vector<bool> is_open_;  // containers that are being converted
  std::vector<Step> trail_;
  bool in_tensor_ = false;
};

Result<CheckpointValue> Converter::convert(PickleId id) {
  if (is_open_[id]) {
    return Status::corrupt("contains itself");
  }
  if (trail_.size() > kMaxCheckpointDepth) {
    return Status::resource_exhausted(fmt::format("nests deeper than {} containers", kMaxCheckpointDepth));
  }
  ZP_RETURN_IF_ERROR(charge(sizeof(CheckpointEntry)));
  is_open_[id] = true;
  ZP_ASSIGN_OR_RETURN(CheckpointValue value,
                      std::visit([&](const auto& object) { return visit(object); }, pickle_.objects[id]));
  is_open_[id] = false;
  return value;
}

Result<CheckpointValue> Converter::visit(const PickleSequence& sequence) {
  CheckpointSequence result{{}, sequence.is_tuple};
  for (std::size_t i = 0; i < sequence.items.size(); ++i) {
    trail_.push_back({nullptr, static_cast<std::int64_t>(i)});
    ZP_ASSIGN_OR_RETURN(CheckpointValue item, convert(sequence.items[i]));
    trail_.pop_back();
    result.items.push_back(std::move(item));
  }
  return CheckpointValue{std::move(result)};
}

Result<CheckpointValue> Converter::visit(const PickleDict& dict) {
  CheckpointDict result;
  // Ordered sets: their time stays bounded whatever keys a hostile file chooses.
  std::set<std::string_view> names;
  std::set<std::int64_t> numbers;
  for (const auto& [key_id, value_id] : dict.entries) {
    const auto* name = pickle_.get<std::string>(key_id);
    const auto* number = pickle_.get<std::int64_t>(key_id);
    if (name == nullptr && number == nullptr) {
      return Status::unsupported(fmt::format("has {} as a key; only strings and integers are read",
                                             kind_of(pickle_.objects[key_id])));
    }
    trail_.push_back({name, number != nullptr ? *number : 0});
    if (name != nullptr ? !names.insert(*name).second : !numbers.insert(*number).second) {
      return Status::corrupt("the key appears twice in its dictionary");
    }
    ZP_RETURN_IF_ERROR(charge(name != nullptr ? name->size() : 0));
    ZP_ASSIGN_OR_RETURN(CheckpointValue value, convert(value_id));
    trail_.pop_back();
    result.entries.push_back(
        {name != nullptr ? CheckpointKey(*name) : CheckpointKey(*number), std::move(value)});
  }
  return CheckpointValue{std::move(result)};
}

Result<CheckpointValue> Converter::visit(const PickleTensor& tensor) {
  in_tensor_ = true;
  const auto& storage = *pickle_.get<PickleStorage>(tensor.storage);
  StridedView view{storage.type, tensor.offset, {}, {}};
  ZP_ASSIGN_OR_RETURN(view.shape, read_integers(tensor.shape));
  ZP_ASSIGN_OR_RETURN(view.strides, read_integers(tensor.strides));
  ZP_ASSIGN_OR_RETURN(std::int64_t count, check_view(view, storage.size));
  ZP_RETURN_IF_ERROR(charge(view.shape.size() * sizeof(std::int64_t)));
  // A tensor's own memory is what could explode: it is weighed before it is asked for.
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(count), size_of(view.type), &bytes)) {
    bytes = budget_ + 1;
  }
  ZP_RETURN_IF_ERROR(charge(bytes));
  ZP_ASSIGN_OR_RETURN(std::span<const std::byte> content, find_bytes(storage));
  Tensor values = gather(view, content);
  if (view.type == ElementType::kBool) {
    for (std::size_t i = 0; i < bytes; ++i) {
      if (std::to_integer<int>(values.bytes()[i]) > 1) {
        return Status::corrupt("a bool element is neither 0 nor 1");
      }
    }
  }
  in_tensor_ = false;
  return CheckpointValue{std::move(values)};
}

Result<Shape> Converter::read_integers(PickleId tuple) const {
  Shape integers;
  for (PickleId item : pickle_.get<PickleSequence>(tuple)->items) {
    const auto* integer = pickle_.get<std::int64_t>(item);
    if (integer == nullptr) {
      return Status::corrupt(fmt::format("its shape or strides contain {}", kind_of(pickle_.objects[item])));
    }
    integers.push_back(*integer);
  }
  return integers;
}

Result<std::span<const std::byte>> Converter::find_bytes(const PickleStorage& storage) const {
  if (storage.size == 0) {
    return std::span<const std::byte>();
  }
  const std::string& key = *pickle_.get<std::string>(storage.key);
  ZP_ASSIGN_OR_RETURN(std::span<const std::byte> content, storages_(key));
  if (storage.size < 0 || static_cast<std::uint64_t>(storage.size) > content.size() / size_of(storage.type)) {
    return Status::corrupt(
        fmt::format("its storage should have {} {} elements but record data/{} has {} bytes", storage.size,
                    name_of(storage.type), printable(key), content.size()));
  }
  return content;
}

Status Converter::charge(std::size_t bytes) {
  if (bytes > budget_) {
    return Status::resource_exhausted(
        fmt::format("the values would take more than {} MB and {} times the file's size; they are shared or "
                    "expanded out of proportion",
                    kFreeValueBytes >> 20, kMaxExpansion));
  }
  budget_ -= bytes;
  return {};
}

std::string Converter::where() const {
  std::string path;
  for (const Step& step : trail_) {
    // Nobody reads further, and a hostile file nests long names deep.
    if (path.size() > 200) {
      path += "...";
      break;
    }
    path += path.empty() ? "" : ".";
    path += step.name != nullptr ? printable(*step.name) : std::to_string(step.number);
  }
  if (path.empty()) {
    return in_tensor_ ? "the tensor" : "the checkpoint";
  }
  return in_tensor_ ? fmt::format("tensor {}", path) : path;
}

}  // namespace

Result<CheckpointValue> to_checkpoint_value(const Pickle& pickle, std::size_t file_size,
                                            const StorageSource& storages) {
  Converter converter(pickle, file_size, storages);
  Result<CheckpointValue> value = converter.convert(pickle.root);
  if (!value.ok()) {
    return value.status().at(converter.where());
  }
  return value;
}

}  // namespace zeropoint::toolchain
