#include "io/zip_archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>

#include "import/printable.h"

namespace zeropoint::toolchain {
namespace {

/// How much of a compressed record is inflated at a time: memory follows what really comes out.
constexpr std::size_t kInflateStep = std::size_t{256} << 10;

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

void ZipArchive::Discard::operator()(zip* archive) const { zip_discard(archive); }

Result<ZipArchive> ZipArchive::open(std::span<const std::byte> file, const std::string& what) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source =
      file.empty() ? nullptr : zip_source_buffer_create(file.data(), file.size(), 0, &error);
  ZipArchive archive;
  archive.zip_.reset(source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error));
  std::string reason = file.empty() ? "it is empty" : zip_error_strerror(&error);
  zip_error_fini(&error);
  if (archive.zip_ == nullptr) {
    zip_source_free(source);
    return Status::corrupt(
        fmt::format("is not {}, or it is truncated: no zip archive can be opened ({})", what, reason));
  }
  ZP_RETURN_IF_ERROR(archive.list_records(file.size(), what));
  return archive;
}

Status ZipArchive::list_records(std::size_t file_size, const std::string& what) {
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
      return Status::corrupt(fmt::format("record name '{}' has no place in {}", printable(name), what));
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

Result<std::vector<std::byte>> ZipArchive::read(std::string_view name, const Record& record) const {
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
