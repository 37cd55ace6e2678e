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

/// A zip archive in memory, which must outlive it.
///
/// What open() accepts is bounded by the file: all stored records together claim no more bytes than it has,
/// so reading every record once takes at most its size. Not thread-safe.
class ZipArchive {
 public:
  struct Record {
    std::uint64_t index;
    std::uint64_t size;
    bool is_stored;  ///< not compressed
  };

  /// `what` names the kind of file in messages: "a PyTorch checkpoint". kCorrupt for what is no archive, for
  /// records that claim more than there is, share a name or have one that is no plain relative path;
  /// kUnsupported for encrypted ones.
  static Result<ZipArchive> open(std::span<const std::byte> file, const std::string& what);

  [[nodiscard]] const std::map<std::string, Record, std::less<>>& records() const { return records_; }
  /// The content of a record of this archive, which messages call `name`. Checksums are verified; memory
  /// follows what really comes out.
  [[nodiscard]] Result<std::vector<std::byte>> read(std::string_view name, const Record& record) const;

 private:
  struct Discard {
    void operator()(zip* archive) const;
  };

  Status list_records(std::size_t file_size, const std::string& what);

  std::unique_ptr<zip, Discard> zip_;
  std::map<std::string, Record, std::less<>> records_;
};

}  // namespace zeropoint::toolchain
