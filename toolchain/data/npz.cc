#include <fmt/format.h>
#include <zip.h>

#include <memory>
#include <set>

#include "data/boundary.h"
#include "import/printable.h"
#include "io/zip_archive.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::string_view kEnding = ".npy";

std::string without_ending(const std::string& record) {
  return record.ends_with(kEnding) ? record.substr(0, record.size() - kEnding.size()) : record;
}

/// A zip archive that is made in memory.
class ZipWriter {
 public:
  ZipWriter() {
    zip_error_init(&error_);
    zip_source_t* source = zip_source_buffer_create(nullptr, 0, 0, &error_);
    if (source == nullptr) {
      return;
    }
    zip_source_keep(source);
    source_ = source;
    zip_ = zip_open_from_source(source, ZIP_TRUNCATE, &error_);
    if (zip_ == nullptr) {
      zip_source_free(source);
    }
  }
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;
  ~ZipWriter() {
    if (zip_ != nullptr) {
      zip_discard(zip_);
    }
    zip_source_free(source_);
    zip_error_fini(&error_);
  }

  /// `content` must live until finish().
  Status add(const std::string& name, std::span<const std::byte> content) {
    if (zip_ == nullptr) {
      return Status::internal(fmt::format("no archive can be made: {}", zip_error_strerror(&error_)));
    }
    zip_source_t* source = zip_source_buffer(zip_, content.data(), content.size(), 0);
    zip_int64_t index = source == nullptr ? -1 : zip_file_add(zip_, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return Status::internal(fmt::format("{} cannot be added: {}", name, zip_strerror(zip_)));
    }
    auto record = static_cast<zip_uint64_t>(index);
    // The same arrays give the same bytes: stored, and the time is that of the format's epoch.
    zip_set_file_compression(zip_, record, ZIP_CM_STORE, 0);
    zip_file_set_dostime(zip_, record, 0, 0x21, 0);
    return {};
  }

  Result<std::vector<std::byte>> finish() {
    zip* archive = zip_;
    if (archive == nullptr || zip_close(archive) != 0) {
      return Status::internal(fmt::format("the archive cannot be written: {}",
                                          archive == nullptr ? "not open" : zip_strerror(archive)));
    }
    zip_ = nullptr;
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_source_open(source_) != 0) {
      return Status::internal("the archive cannot be read back");
    }
    std::vector<std::byte> content;
    bool done = zip_source_stat(source_, &stat) == 0;
    if (done) {
      content.resize(stat.size);
      done = zip_source_read(source_, content.data(), content.size()) ==
             static_cast<zip_int64_t>(content.size());
    }
    zip_source_close(source_);
    return done ? Result<std::vector<std::byte>>(std::move(content))
                : Status::internal("the archive cannot be read back");
  }

 private:
  zip_error_t error_;
  zip_source_t* source_ = nullptr;
  zip* zip_ = nullptr;
};

}  // namespace

Result<std::vector<std::string>> npz_names(std::span<const std::byte> content) {
  return without_exceptions(".npz", [&]() -> Result<std::vector<std::string>> {
    ZP_ASSIGN_OR_RETURN(ZipArchive archive, ZipArchive::open(content, "a .npz archive"));
    std::vector<std::string> names;
    for (const auto& [name, record] : archive.records()) {
      names.push_back(without_ending(name));
    }
    return names;
  });
}

Result<Tensor> parse_npz(std::span<const std::byte> content, const std::string& name) {
  return without_exceptions(".npz", [&]() -> Result<Tensor> {
    ZP_ASSIGN_OR_RETURN(ZipArchive archive, ZipArchive::open(content, "a .npz archive"));
    std::string names;
    for (const auto& [record_name, record] : archive.records()) {
      if (without_ending(record_name) != name) {
        names += (names.empty() ? "" : ", ") + without_ending(record_name);
        continue;
      }
      ZP_ASSIGN_OR_RETURN(std::vector<std::byte> array, archive.read(record_name, record));
      Result<Tensor> tensor = parse_npy(array);
      return tensor.ok() ? std::move(tensor) : tensor.status().at("array " + printable(name));
    }
    return Status::not_found(
        fmt::format("there is no array '{}'; there are: {}", printable(name), printable(names)));
  });
}

Result<Tensor> read_npz(const std::string& path, const std::string& name) {
  return without_exceptions(path.c_str(), [&]() -> Result<Tensor> {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
    Result<Tensor> tensor = parse_npz(content, name);
    return tensor.ok() ? std::move(tensor) : tensor.status().at(path);
  });
}

Status write_npz(const std::string& path, const NamedTensors& tensors) {
  return without_exceptions(path.c_str(), [&]() -> Status {
    std::set<std::string> names;
    std::vector<std::vector<std::byte>> arrays;
    ZipWriter archive;
    arrays.reserve(tensors.size());
    for (const auto& [name, tensor] : tensors) {
      if (name.empty() || name.starts_with('/') || name.find("..") != std::string::npos ||
          !names.insert(name).second) {
        return Status::invalid_argument(
            fmt::format("{}: '{}' cannot name an array of the archive", path, printable(name)));
      }
      ZP_ASSIGN_OR_RETURN(std::vector<std::byte> array, to_npy(tensor));
      arrays.push_back(std::move(array));
      ZP_RETURN_IF_ERROR(archive.add(name + std::string(kEnding), arrays.back()).at(path));
    }
    Result<std::vector<std::byte>> content = archive.finish();
    return content.ok() ? write_file(path, *content) : content.status().at(path);
  });
}

}  // namespace zeropoint::toolchain
