#include "format/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace zeropoint::format {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

Status system_error(const std::string& path, int error) {
  return Status(error == ENOENT ? StatusCode::kNotFound : StatusCode::kIo, path, ": ", std::strerror(error));
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  // A pipe that nobody writes to must not make the program wait.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (file.number() < 0 || ::fstat(file.number(), &about) != 0) {
    return system_error(path, errno);
  }
  if (!S_ISREG(about.st_mode)) {
    return Status::io(path, ": not a regular file");
  }
  auto size = static_cast<std::size_t>(about.st_size);
  if (size == 0) {
    return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0));
  }
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.number(), 0);
  if (memory == MAP_FAILED) {
    return system_error(path, errno);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<std::byte*>(memory), size));
}

MappedFile::~MappedFile() {
  if (memory_ != nullptr) {
    ::munmap(memory_, size_);
  }
}

}  // namespace zeropoint::format
