#include <fmt/format.h>
#include <zip.h>

#include <array>
#include <memory>

#include "export/pickle_writer.h"
#include "io/catch_exceptions.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::string_view kFolder = "archive/";

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};

/// Builds a zip archive of stored records in memory.
class ArchiveWriter {
 public:
  Status open() {
    zip_error_t error;
    zip_error_init(&error);
    result_.reset(zip_source_buffer_create(nullptr, 0, 0, &error));
    if (result_ != nullptr) {
      zip_source_keep(result_.get());  // zip_close drops one reference, the result is read through the other
      archive_.reset(zip_open_from_source(result_.get(), ZIP_TRUNCATE, &error));
      if (archive_ == nullptr) {
        zip_source_free(result_.get());
      }
    }
    std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    return archive_ != nullptr ? Status() : Status::internal("cannot start a zip archive: " + reason);
  }

  /// Adds a record of `content`, which must outlive finish().
  Status add(std::string_view record, std::span<const std::byte> content);
  Result<std::vector<std::byte>> finish();

 private:
  Status failure() const {
    return Status::internal(fmt::format("cannot build the zip archive: {}", zip_strerror(archive_.get())));
  }

  // Where the next record begins. Were libzip to lay out records otherwise (it does beyond 4 GB), only the
  // alignment would be lost.
  std::size_t position_ = 0;
  std::unique_ptr<zip_source_t, FreeSource> result_;
  std::unique_ptr<zip_t, Discard> archive_;
};

Status ArchiveWriter::add(std::string_view record, std::span<const std::byte> content) {
  constexpr std::size_t kLocalHeader = 30;
  constexpr std::size_t kFieldHeader = 4;
  constexpr zip_uint16_t kPaddingField = 0x4246;  // "FB", the extra field PyTorch pads with

  std::string name = std::string(kFolder) + std::string(record);
  // libzip takes no null pointer for an empty buffer.
  const void* data = content.empty() ? "" : static_cast<const void*>(content.data());
  zip_source_t* source = zip_source_buffer(archive_.get(), data, content.size(), 0);
  if (source == nullptr) {
    return failure();
  }
  zip_int64_t index = zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return failure();
  }
  auto i = static_cast<zip_uint64_t>(index);
  std::size_t header = position_ + kLocalHeader + name.size() + kFieldHeader;
  std::size_t padding = (kAlignment - header % kAlignment) % kAlignment;
  std::array<zip_uint8_t, kAlignment> zeros{};
  // 1 January 1980: the same value gives the same file at any time.
  constexpr zip_uint16_t kFirstDay = 0x21;
  if (zip_set_file_compression(archive_.get(), i, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive_.get(), i, 0, kFirstDay, 0) != 0 ||
      zip_file_extra_field_set(archive_.get(), i, kPaddingField, ZIP_EXTRA_FIELD_NEW, zeros.data(),
                               static_cast<zip_uint16_t>(padding), ZIP_FL_LOCAL) != 0) {
    return failure();
  }
  position_ = header + padding + content.size();
  return {};
}

Result<std::vector<std::byte>> ArchiveWriter::finish() {
  if (zip_close(archive_.get()) != 0) {
    return failure();
  }
  (void)archive_.release();  // zip_close freed it
  zip_stat_t stat;
  if (zip_source_stat(result_.get(), &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0 ||
      zip_source_open(result_.get()) != 0) {
    return Status::internal("cannot read back the zip archive");
  }
  std::vector<std::byte> file(static_cast<std::size_t>(stat.size));
  zip_int64_t count = zip_source_read(result_.get(), file.data(), file.size());
  zip_source_close(result_.get());
  if (count < 0 || static_cast<std::size_t>(count) != file.size()) {
    return Status::internal("cannot read back the zip archive");
  }
  return file;
}

/// `value` is anything that PickleWriter writes.
template <typename Value>
Result<std::vector<std::byte>> build(const Value& value) {
  PickleWriter pickle;
  ZP_RETURN_IF_ERROR(pickle.write(value));
  std::string program = pickle.finish();
  ArchiveWriter archive;
  ZP_RETURN_IF_ERROR(archive.open());
  ZP_RETURN_IF_ERROR(archive.add("data.pkl", std::as_bytes(std::span(program))));
  ZP_RETURN_IF_ERROR(archive.add("byteorder", std::as_bytes(std::span(std::string_view("little")))));
  for (std::size_t i = 0; i < pickle.tensors().size(); ++i) {
    const Tensor& tensor = *pickle.tensors()[i];
    ZP_RETURN_IF_ERROR(archive.add("data/" + std::to_string(i), {tensor.bytes(), tensor.byte_size()}));
  }
  ZP_RETURN_IF_ERROR(archive.add("version", std::as_bytes(std::span(std::string_view("3\n")))));
  return archive.finish();
}

template <typename Value>
Status write(const std::string& path, const Value& value) {
  return catch_exceptions(path, [&]() -> Status {
    Result<std::vector<std::byte>> file = build(value);
    return file.ok() ? write_file(path, *file) : file.status().at(path);
  });
}

}  // namespace

Status write_checkpoint(const std::string& path, const CheckpointValue& value) { return write(path, value); }

Status write_state_dict(const std::string& path, const StateDict& state_dict) {
  return write(path, state_dict);
}

}  // namespace zeropoint::toolchain
