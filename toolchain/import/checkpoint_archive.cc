#include "import/checkpoint_archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>

#include "import/printable.h"

namespace zeropoint::toolchain {
namespace {

/// How much of a compressed record is inflated at a time: memory follows what really comes out.
constexpr std::size_t kInflateStep = std::size_t{256} << 10;

/// torch.save before 1.6 wrote pickles one after the other; this is the first, the format's magic number.
constexpr std::array<unsigned char, 15> kLegacyMagic = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                                        0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};

bool is_legacy(std::span<const std::byte> file) {
  return file.size() >= kLegacyMagic.size() &&
         std::equal(kLegacyMagic.begin(), kLegacyMagic.end(), file.begin(),
                    [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

/// A relative path that stays where it starts. Names are never used as paths here, but other names were made
/// to confuse.
bool is_plain_name(std::string_view name) {
  std::string path = fmt::format("/{}/", name);
  return !name.starts_with('/') && path.find("/../") == std::string::npos &&
         path.find('\\') == std::string::npos;
}

struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

void CheckpointArchive::Discard::operator()(zip* archive) const { zip_discard(archive); }

Result<CheckpointArchive> CheckpointArchive::open(std::span<const std::byte> file) {
  if (is_legacy(file)) {
    return Status::unsupported(
        "was written in the format before PyTorch 1.6; load it with torch.load and re-save it with "
        "torch.save(..., _use_new_zipfile_serialization=True)");
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source =
      file.empty() ? nullptr : zip_source_buffer_create(file.data(), file.size(), 0, &error);
  CheckpointArchive archive;
  archive.zip_.reset(source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error));
  std::string reason = file.empty() ? "it is empty" : zip_error_strerror(&error);
  zip_error_fini(&error);
  if (archive.zip_ == nullptr) {
    zip_source_free(source);
    return Status::corrupt(fmt::format(
        "is not a PyTorch checkpoint, or it is truncated: no zip archive can be opened ({})", reason));
  }
  ZP_RETURN_IF_ERROR(archive.list_records(file.size()));
  ZP_RETURN_IF_ERROR(archive.find_folder());
  return archive;
}

Status CheckpointArchive::list_records(std::size_t file_size) {
  zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
  std::uint64_t unclaimed = file_size;
  for (zip_uint64_t index = 0; index < static_cast<zip_uint64_t>(count); ++index) {
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                     ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    zip_stat_t stat;
    if (zip_stat_index(zip_.get(), index, ZIP_FL_ENC_RAW, &stat) != 0 || (stat.valid & kNeeded) != kNeeded) {
      return Status::corrupt(fmt::format("record {} of the zip archive has no valid header", index));
    }
    std::string name = stat.name;
    if (!is_plain_name(name)) {
      return Status::corrupt(fmt::format("record name '{}' is not one that PyTorch writes", printable(name)));
    }
    if (stat.encryption_method != ZIP_EM_NONE) {
      return Status::unsupported(fmt::format("record {} is encrypted", printable(name)));
    }
    bool is_stored = stat.comp_method == ZIP_CM_STORE;
    if ((is_stored && stat.comp_size != stat.size) || stat.comp_size > unclaimed) {
      return Status::corrupt(fmt::format("record {} claims {} bytes, more than the file has room for",
                                         printable(name),
                                         std::max<std::uint64_t>(stat.size, stat.comp_size)));
    }
    unclaimed -= stat.comp_size;
    if (!records_.emplace(name, Record{index, stat.size, is_stored}).second) {
      return Status::corrupt(fmt::format("two records are called {}", printable(name)));
    }
  }
  return {};
}

Status CheckpointArchive::find_folder() {
  constexpr std::string_view kPickle = "data.pkl";
  bool found = false;
  for (const auto& [name, record] : records_) {
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
  auto first_code = records_.lower_bound(folder_ + "code/");
  if (contains("constants.pkl") ||
      (first_code != records_.end() && first_code->first.starts_with(folder_ + "code/"))) {
    return Status::unsupported(
        "is a TorchScript archive (torch.jit.save); save the weights with torch.save(model.state_dict(), "
        "...)");
  }
  return {};
}

bool CheckpointArchive::contains(std::string_view name) const {
  return records_.contains(folder_ + std::string(name));
}

Result<CheckpointArchive::Record> CheckpointArchive::find(std::string_view name) const {
  auto found = records_.find(folder_ + std::string(name));
  if (found == records_.end()) {
    return Status::corrupt(fmt::format("record {} is missing", printable(name)));
  }
  return found->second;
}

Result<std::vector<std::byte>> CheckpointArchive::read(std::string_view name, std::size_t max_size) const {
  ZP_ASSIGN_OR_RETURN(Record record, find(name));
  if (record.size > max_size) {
    return Status::resource_exhausted(fmt::format("record {} claims {} bytes; at most {} are read",
                                                  printable(name), record.size, max_size));
  }
  return read(name, record);
}

Result<std::vector<std::byte>> CheckpointArchive::read_stored(std::string_view name) const {
  ZP_ASSIGN_OR_RETURN(Record record, find(name));
  if (!record.is_stored) {
    return Status::unsupported(fmt::format(
        "record {} is compressed, which torch.save never does; re-save it with torch.save", printable(name)));
  }
  return read(name, record);
}

Result<std::vector<std::byte>> CheckpointArchive::read(std::string_view name, const Record& record) const {
  std::size_t size = static_cast<std::size_t>(record.size);
  std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(zip_.get(), record.index, 0));
  if (file == nullptr) {
    return Status::corrupt(
        fmt::format("record {} cannot be opened: {}", printable(name), zip_strerror(zip_.get())));
  }
  std::vector<std::byte> content;
  std::size_t done = 0;
  zip_int64_t count = 1;
  while (done < size && count > 0) {
    content.resize(record.is_stored ? size : std::min(size, done + kInflateStep));
    count = zip_fread(file.get(), content.data() + done, content.size() - done);
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  // The checksum is compared when the end is read.
  std::byte beyond_end{};
  if (done == size) {
    count = zip_fread(file.get(), &beyond_end, 1);
  }
  if (count < 0) {
    return Status::corrupt(fmt::format("record {} cannot be read: {}", printable(name),
                                       zip_error_strerror(zip_file_get_error(file.get()))));
  }
  if (done != size || count > 0) {
    return Status::corrupt(
        fmt::format("record {} does not have the {} bytes it claims", printable(name), size));
  }
  return content;
}

}  // namespace zeropoint::toolchain
