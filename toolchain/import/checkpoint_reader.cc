#include <fmt/format.h>

#include <map>

#include "import/checkpoint_archive.h"
#include "import/checkpoint_values.h"
#include "import/pickle.h"
#include "import/printable.h"
#include "io/catch_exceptions.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {
namespace {

/// Files before PyTorch 2.1 do not say; they were written on little-endian machines but for rare exceptions.
Status check_byte_order(const CheckpointArchive& archive) {
  if (!archive.contains("byteorder")) {
    return {};
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> order, archive.read("byteorder", 16));
  std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
  if (text == "big") {
    return Status::unsupported(
        "was written on a big-endian machine; re-save it with torch.save on a little-endian one");
  }
  return text == "little" ? Status() : Status::corrupt("record byteorder says neither little nor big");
}

Result<CheckpointValue> read(std::span<const std::byte> file) {
  ZP_ASSIGN_OR_RETURN(CheckpointArchive archive, CheckpointArchive::open(file));
  ZP_RETURN_IF_ERROR(check_byte_order(archive));
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> program, archive.read("data.pkl", kMaxPickleBytes));
  Result<Pickle> pickle = run_pickle(program);
  if (!pickle.ok()) {
    return pickle.status().at("data.pkl");
  }

  // Tensors share storages. All records together are no larger than the file, so each is read once and kept.
  std::map<std::string, std::vector<std::byte>> storages;
  auto find_storage = [&](const std::string& key) -> Result<std::span<const std::byte>> {
    auto known = storages.find(key);
    if (known == storages.end()) {
      std::string name = "data/" + key;
      if (key.empty() || key.find('/') != std::string::npos) {
        return Status::corrupt(
            fmt::format("storage key '{}' is not one that PyTorch writes", printable(key)));
      }
      ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, archive.read_stored(name));
      known = storages.emplace(key, std::move(content)).first;
    }
    return std::span<const std::byte>(known->second);
  };
  return to_checkpoint_value(*pickle, file.size(), find_storage);
}

}  // namespace

Result<CheckpointValue> read_checkpoint(std::span<const std::byte> content, const std::string& name) {
  return catch_exceptions(name, [&]() -> Result<CheckpointValue> {
    Result<CheckpointValue> value = read(content);
    if (!value.ok()) {
      return value.status().at(name);
    }
    return value;
  });
}

Result<CheckpointValue> read_checkpoint(const std::string& path) {
  return catch_exceptions(path, [&]() -> Result<CheckpointValue> {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
    return read_checkpoint(content, path);
  });
}

}  // namespace zeropoint::toolchain
