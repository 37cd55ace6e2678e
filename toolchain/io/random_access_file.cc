#include "io/random_access_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace zeropoint::toolchain {

RandomAccessFile::RandomAccessFile(std::string path, int descriptor, std::uint64_t size)
    : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

RandomAccessFile::RandomAccessFile(RandomAccessFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

RandomAccessFile& RandomAccessFile::operator=(RandomAccessFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

RandomAccessFile::~RandomAccessFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<RandomAccessFile> RandomAccessFile::open(const std::string& path) {
  // Not blocking: a pipe that nobody writes to would wait for ever before it could be refused.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    std::string message = fmt::format("{}: cannot open: {}", path, std::strerror(errno));
    return errno == ENOENT ? Status::not_found(std::move(message)) : Status::io(std::move(message));
  }
  struct stat info {};
  bool known = ::fstat(descriptor, &info) == 0;
  RandomAccessFile file(path, descriptor, known ? static_cast<std::uint64_t>(info.st_size) : 0);
  if (!known || !S_ISREG(info.st_mode)) {
    return Status::io(fmt::format("{}: not a regular file", path));
  }
  return file;
}

Status RandomAccessFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    ssize_t count = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Status::io(fmt::format("{}: cannot read: {}", path_, std::strerror(errno)));
    }
    if (count == 0) {
      return Status::io(fmt::format("{}: the file ends at byte {}; more were expected", path_, offset));
    }
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace zeropoint::toolchain
