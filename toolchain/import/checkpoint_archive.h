#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"

struct zip;

namespace zeropoint::toolchain {

/// The zip archive that torch.save writes: <name>/data.pkl, <name>/data/0, <name>/data/1, ... Reads from
/// memory, which must outlive it.
///
/// What open() accepts is bounded by the file: all stored records together claim no more bytes than it has,
/// so reading every record once takes at most its size. Not thread-safe.
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
  struct Record {
    std::uint64_t index;
    std::uint64_t size;
    bool is_stored;
  };
  struct Discard {
    void operator()(zip* archive) const;
  };

  [[nodiscard]] Result<Record> find(std::string_view name) const;
  [[nodiscard]] Result<std::vector<std::byte>> read(std::string_view name, const Record& record) const;
  Status list_records(std::size_t file_size);
  Status find_folder();

  std::unique_ptr<zip, Discard> zip_;
  std::map<std::string, Record, std::less<>> records_;
  std::string folder_;  // "archive/"
};

}  // namespace zeropoint::toolchain
