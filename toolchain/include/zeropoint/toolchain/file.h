#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// The whole content of the regular file at `path`. Errors name the path: kNotFound, or kIo for a directory,
/// a file without permission or a failed read. Memory is asked for by the file's true size only.
Result<std::vector<std::byte>> read_file(const std::string& path);

/// Writes `content` to a temporary file beside `path`, then renames it, so that `path` holds either what it
/// held before or all of `content`. On an error (kIo: no folder, no permission, disk full) nothing is left
/// behind. A link stays, and what it points to is replaced; devices and pipes are written to.
Status write_file(const std::string& path, std::span<const std::byte> content);
Status write_file(const std::string& path, std::string_view content);

/// A file that is written piece by piece and takes its place at `path` when it is complete, as write_file()
/// does it; without commit() nothing is left of it. Not for devices and pipes.
class NewFile {
 public:
  static Result<NewFile> create(const std::string& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  Status write(std::span<const std::byte> content);
  Status commit();

 private:
  NewFile(std::string path, std::string target, std::string temporary, int descriptor);

  std::string path_;       // as the caller names it
  std::string target_;     // what the links of it lead to
  std::string temporary_;  // empty once it is gone
  int descriptor_;
};

}  // namespace zeropoint::toolchain
