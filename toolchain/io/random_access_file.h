#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// A regular file that is read in pieces. Movable; reads may run side by side.
class RandomAccessFile {
 public:
  /// kNotFound, or kIo for a folder, a device or a file without permission; errors name the path.
  static Result<RandomAccessFile> open(const std::string& path);

  RandomAccessFile(RandomAccessFile&& other) noexcept;
  RandomAccessFile& operator=(RandomAccessFile&& other) noexcept;
  ~RandomAccessFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The bytes that the file had when it was opened.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Fills `out` with the bytes from `offset` on; kIo, naming the path, when there are not so many.
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  RandomAccessFile(std::string path, int descriptor, std::uint64_t size);

  std::string path_;
  int descriptor_;
  std::uint64_t size_;
};

}  // namespace zeropoint::toolchain
