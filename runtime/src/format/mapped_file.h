#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "zeropoint/status.h"

namespace zeropoint::format {

/// The content of a file as memory of its own: what is written there stays there. Begins at a page.
class MappedFile {
 public:
  /// kNotFound, or kIo for what is no regular file or cannot be read. Errors name the path.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {memory_, size_}; }

 private:
  MappedFile(std::byte* memory, std::size_t size) : memory_(memory), size_(size) {}

  std::byte* memory_;
  std::size_t size_;
};

}  // namespace zeropoint::format
