#include "import/checkpoint_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "import/printable.h"

namespace zeropoint::toolchain {
namespace {

/// torch.save before 1.6 wrote pickles one after the other; this is the first, the format's magic number.
constexpr std::array<unsigned char, 15> kLegacyMagic = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                                        0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};

bool is_legacy(std::span<const std::byte> file) {
  return file.size() >= kLegacyMagic.size() &&
         std::equal(kLegacyMagic.begin(), kLegacyMagic.end(), file.begin(),
                    [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

}  // namespace

Result<CheckpointArchive> CheckpointArchive::open(std::span<const std::byte> file) {
  if (is_legacy(file)) {
    return Status::unsupported(
        "was written in the format before PyTorch 1.6; load it with torch.load and re-save it with "
        "torch.save(..., _use_new_zipfile_serialization=True)");
  }
  ZP_ASSIGN_OR_RETURN(ZipArchive zip, ZipArchive::open(file, "a PyTorch checkpoint"));
  CheckpointArchive archive(std::move(zip));
  ZP_RETURN_IF_ERROR(archive.find_folder());
  return archive;
}

Status CheckpointArchive::find_folder() {
  constexpr std::string_view kPickle = "data.pkl";
  bool found = false;
  for (const auto& [name, record] : zip_.records()) {
    std::string_view folder = name;
    if (!folder.ends_with(kPickle)) {
      continue;
    }
    folder.remove_suffix(kPickle.size());
    if (!folder.empty() && folder.find('/') != folder.size() - 1) {
      continue;
    }
    if (found) {
      return Status::corrupt(
          fmt::format("has two pickles, {} and {}data.pkl", printable(name), printable(folder_)));
    }
    folder_ = folder;
    found = true;
  }
  if (!found) {
    return Status::corrupt("is a zip archive without data.pkl: not a file of torch.save");
  }
  auto first_code = zip_.records().lower_bound(folder_ + "code/");
  if (contains("constants.pkl") ||
      (first_code != zip_.records().end() && first_code->first.starts_with(folder_ + "code/"))) {
    return Status::unsupported(
        "is a TorchScript archive (torch.jit.save); save the weights with torch.save(model.state_dict(), "
        "...)");
  }
  return {};
}

bool CheckpointArchive::contains(std::string_view name) const {
  return zip_.records().contains(folder_ + std::string(name));
}

Result<ZipArchive::Record> CheckpointArchive::find(std::string_view name) const {
  auto found = zip_.records().find(folder_ + std::string(name));
  if (found == zip_.records().end()) {
    return Status::corrupt(fmt::format("record {} is missing", printable(name)));
  }
  return found->second;
}

Result<std::vector<std::byte>> CheckpointArchive::read(std::string_view name, std::size_t max_size) const {
  ZP_ASSIGN_OR_RETURN(ZipArchive::Record record, find(name));
  if (record.size > max_size) {
    return Status::resource_exhausted(fmt::format("record {} claims {} bytes; at most {} are read",
                                                  printable(name), record.size, max_size));
  }
  return zip_.read(name, record);
}

Result<std::vector<std::byte>> CheckpointArchive::read_stored(std::string_view name) const {
  ZP_ASSIGN_OR_RETURN(ZipArchive::Record record, find(name));
  if (!record.is_stored) {
    return Status::unsupported(fmt::format(
        "record {} is compressed, which torch.save never does; re-save it with torch.save", printable(name)));
  }
  return zip_.read(name, record);
}

}  // namespace zeropoint::toolchain
