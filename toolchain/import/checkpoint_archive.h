#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/zip_archive.h"
#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// The zip archive that torch.save writes: <name>/data.pkl, <name>/data/0, <name>/data/1, ... Reads from
/// memory, which must outlive it. Bounded by the file as ZipArchive says. Not thread-safe.
class CheckpointArchive {
 public:
  static Result<CheckpointArchive> open(std::span<const std::byte> file);

  /// Whether the record is there; names are without the archive's top folder.
  [[nodiscard]] bool contains(std::string_view name) const;
  /// The content of a record of at most `max_size` bytes. Checksums are verified.
  [[nodiscard]] Result<std::vector<std::byte>> read(std::string_view name, std::size_t max_size) const;
  /// The content of a record that must not be compressed, and so is no larger than the file.
  [[nodiscard]] Result<std::vector<std::byte>> read_stored(std::string_view name) const;

 private:
  explicit CheckpointArchive(ZipArchive zip) : zip_(std::move(zip)) {}

  [[nodiscard]] Result<ZipArchive::Record> find(std::string_view name) const;
  Status find_folder();

  ZipArchive zip_;
  std::string folder_;  // "archive/"
};

}  // namespace zeropoint::toolchain
