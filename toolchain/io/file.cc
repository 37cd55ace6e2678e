#include "zeropoint/toolchain/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace zeropoint::toolchain {
namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { (void)close(); }

  [[nodiscard]] int get() const { return fd_; }
  /// False when the operating system reports a write that failed late.
  bool close() {
    int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

Status error_at(const std::string& path, std::string_view action, int error) {
  std::string message = fmt::format("{}: cannot {}: {}", path, action, std::strerror(error));
  return error == ENOENT ? Status::not_found(std::move(message)) : Status::io(std::move(message));
}

bool write_all(int fd, std::span<const std::byte> content) {
  while (!content.empty()) {
    ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

/// Devices and pipes cannot be replaced by renaming; they are written to. A folder is refused by open().
Status write_in_place(const std::string& path, std::span<const std::byte> content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || !write_all(file.get(), content) || !file.close()) {
    return error_at(path, "write", errno);
  }
  return {};
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return error_at(path, "open", errno);
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    return error_at(path, "read", errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::io(fmt::format("{}: not a regular file", path));
  }
  std::vector<std::byte> content(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    ssize_t count = ::read(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return error_at(path, "read", errno);
    }
    if (count == 0) {
      return Status::io(fmt::format("{}: the file became shorter while it was read", path));
    }
    done += static_cast<std::size_t>(count);
  }
  return content;
}

Result<NewFile> NewFile::create(const std::string& path) {
  struct stat info {};
  bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) {
    return Status::io(fmt::format("{}: cannot write: not a regular file", path));
  }
  // A link stays a link: what it points to is replaced.
  std::unique_ptr<char, decltype(&std::free)> resolved(exists ? ::realpath(path.c_str(), nullptr) : nullptr,
                                                       &std::free);
  std::string target = resolved != nullptr ? resolved.get() : path;
  std::string temporary = target + ".XXXXXX";
  int descriptor = ::mkstemp(temporary.data());
  if (descriptor < 0) {
    return error_at(path, "write", errno);
  }
  NewFile file(path, std::move(target), std::move(temporary), descriptor);
  // mkstemp makes the file private; give it the mode of what it replaces, or that of any new file of this
  // process.
  mode_t mask = ::umask(0);
  ::umask(mask);
  mode_t mode = exists ? info.st_mode & 07777U : 0666U & ~mask;
  return ::fchmod(descriptor, mode) == 0 ? Result<NewFile>(std::move(file)) : error_at(path, "write", errno);
}

NewFile::NewFile(std::string path, std::string target, std::string temporary, int descriptor)
    : path_(std::move(path)),
      target_(std::move(target)),
      temporary_(std::move(temporary)),
      descriptor_(descriptor) {}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

NewFile::~NewFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

Status NewFile::write(std::span<const std::byte> content) {
  return write_all(descriptor_, content) ? Status() : error_at(path_, "write", errno);
}

Status NewFile::commit() {
  bool done =
      ::close(std::exchange(descriptor_, -1)) == 0 && std::rename(temporary_.c_str(), target_.c_str()) == 0;
  if (!done) {
    return error_at(path_, "write", errno);
  }
  temporary_.clear();
  return {};
}

Status write_file(const std::string& path, std::span<const std::byte> content) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return write_in_place(path, content);
  }
  ZP_ASSIGN_OR_RETURN(NewFile file, NewFile::create(path));
  ZP_RETURN_IF_ERROR(file.write(content));
  return file.commit();
}

Status write_file(const std::string& path, std::string_view content) {
  return write_file(path, std::as_bytes(std::span(content)));
}

}  // namespace zeropoint::toolchain
