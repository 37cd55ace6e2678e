#include "export/pickle_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "import/checkpoint_values.h"
#include "import/printable.h"
#include "import/torch_storages.h"

namespace zeropoint::toolchain {
namespace {

/// Whether `text` is UTF-8 as Python decodes it: shortest forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) {
      continue;
    }
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.size() - i < static_cast<std::size_t>(more)) {
      return false;
    }
    std::uint32_t code = first & (0x3fu >> more);
    for (int k = 0; k < more; ++k) {
      auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0) != 0x80) {
        return false;
      }
      code = code << 6 | (next & 0x3fu);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      return false;
    }
  }
  return true;
}

std::string name_of(const CheckpointKey& key) {
  const auto* name = std::get_if<std::string>(&key);
  return name != nullptr ? printable(*name) : std::to_string(std::get<std::int64_t>(key));
}

}  // namespace

PickleWriter::PickleWriter() : out_("\x80\x02") {}

std::string PickleWriter::finish() {
  out_ += '.';
  return std::move(out_);
}

Status PickleWriter::write(const CheckpointValue& value) {
  if (depth_ > kMaxCheckpointDepth) {
    return Status::invalid_argument(fmt::format("nests deeper than {} containers", kMaxCheckpointDepth));
  }
  ++depth_;
  Status status = std::visit([&](const auto& content) { return put(content); }, value.content);
  --depth_;
  return status;
}

Status PickleWriter::write(const StateDict& state_dict) {
  std::set<std::string_view> names;
  out_ += "}(";
  for (const auto& [name, tensor] : state_dict.tensors) {
    Status status = names.insert(name).second
                        ? put(name)
                        : Status::invalid_argument("the name appears twice in the state dict");
    if (status.ok()) {
      status = put(tensor);
    }
    ZP_RETURN_IF_ERROR(status.at("tensor " + printable(name)));
  }
  out_ += 'u';
  return {};
}

Status PickleWriter::put(std::monostate) {
  out_ += 'N';
  return {};
}

Status PickleWriter::put(bool value) {
  out_ += value ? '\x88' : '\x89';
  return {};
}

Status PickleWriter::put(std::int64_t value) {
  if (value == static_cast<std::int32_t>(value)) {
    out_ += 'J';
    put_bytes(static_cast<std::uint64_t>(value), 4);
  } else {
    out_ += "\x8a\x08";
    put_bytes(static_cast<std::uint64_t>(value), 8);
  }
  return {};
}

Status PickleWriter::put(double value) {
  out_ += 'G';
  put_bytes(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)), 8);
  return {};
}

Status PickleWriter::put(const std::string& value) {
  if (!is_utf8(value)) {
    return Status::invalid_argument(fmt::format("the string '{}' is not UTF-8", printable(value)));
  }
  if (value.size() > std::numeric_limits<std::uint32_t>::max()) {
    return Status::invalid_argument("a string is longer than 4 GB");
  }
  out_ += 'X';
  put_bytes(value.size(), 4);
  out_ += value;
  return {};
}

Status PickleWriter::put(const Tensor& tensor) {
  const auto* storage = std::ranges::find(kTorchStorages, tensor.type(), &TorchStorage::type);
  if (storage == kTorchStorages.end()) {
    return Status::unsupported(
        fmt::format("PyTorch has no storage for {}; convert it to a signed or float type",
                    zeropoint::name_of(tensor.type())));
  }
  put_global("torch._utils", "_rebuild_tensor_v2");
  out_ += "((";
  ZP_RETURN_IF_ERROR(put(std::string("storage")));
  put_global("torch", storage->name);
  ZP_RETURN_IF_ERROR(put(std::to_string(tensors_.size())));
  ZP_RETURN_IF_ERROR(put(std::string("cpu")));
  ZP_RETURN_IF_ERROR(put(tensor.size()));
  out_ += "tQ";
  ZP_RETURN_IF_ERROR(put(std::int64_t{0}));
  Shape strides(tensor.shape().size(), 1);
  for (std::size_t axis = strides.size(); axis-- > 1;) {
    // An axis of no elements counts as one, as in PyTorch.
    strides[axis - 1] = strides[axis] * std::max<std::int64_t>(tensor.shape()[axis], 1);
  }
  put_integers(tensor.shape());
  put_integers(strides);
  out_ += '\x89';
  put_global("collections", "OrderedDict");
  out_ += ")RtR";
  tensors_.push_back(&tensor);
  return {};
}

Status PickleWriter::put(const CheckpointSequence& sequence) {
  out_ += sequence.is_tuple ? "(" : "](";
  for (std::size_t i = 0; i < sequence.items.size(); ++i) {
    ZP_RETURN_IF_ERROR(write(sequence.items[i]).at(std::to_string(i)));
  }
  out_ += sequence.is_tuple ? 't' : 'e';
  return {};
}

Status PickleWriter::put(const CheckpointDict& dict) {
  std::set<CheckpointKey> keys;
  out_ += "}(";
  for (const CheckpointEntry& entry : dict.entries) {
    Status status = keys.insert(entry.key).second
                        ? std::visit([&](const auto& key) { return put(key); }, entry.key)
                        : Status::invalid_argument("the key appears twice in its dictionary");
    if (status.ok()) {
      status = write(entry.value);
    }
    ZP_RETURN_IF_ERROR(status.at("key " + name_of(entry.key)));
  }
  out_ += 'u';
  return {};
}

void PickleWriter::put_global(std::string_view module, std::string_view name) {
  out_.append("c").append(module).append("\n").append(name).append("\n");
}

void PickleWriter::put_integers(const Shape& integers) {
  out_ += '(';
  for (std::int64_t integer : integers) {
    (void)put(integer);  // cannot fail
  }
  out_ += 't';
}

void PickleWriter::put_bytes(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out_ += static_cast<char>(value >> (8 * i) & 0xff);
  }
}

}  // namespace zeropoint::toolchain
