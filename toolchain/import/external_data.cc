#include "import/external_data.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;

struct Place {
  std::string location;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool has_length = false;
};

Result<std::uint64_t> number_of(const std::string& text, const char* what) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      value > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    return Status::corrupt(fmt::format("external data: {} '{}' is no number of bytes", what, text));
  }
  return value;
}

Result<Place> place_of(const onnx::TensorProto& proto) {
  Place place;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      place.location = entry.value();
    } else if (entry.key() == "offset") {
      ZP_ASSIGN_OR_RETURN(place.offset, number_of(entry.value(), "offset"));
    } else if (entry.key() == "length") {
      ZP_ASSIGN_OR_RETURN(place.length, number_of(entry.value(), "length"));
      place.has_length = true;
    }
  }
  if (place.location.empty()) {
    return Status::corrupt("external data: no location is given");
  }
  return place;
}

/// The file, which must lie in the folder or below it once links are followed.
Result<std::string> resolve(const std::string& location, const std::string& folder) {
  if (folder.empty()) {
    return Status::unsupported("its data is in the file '" + location +
                               "', which a model that is no file itself cannot have");
  }
  std::error_code error;
  fs::path root = fs::weakly_canonical(folder, error);
  fs::path file = error ? fs::path() : fs::weakly_canonical(root / location, error);
  if (error) {
    return Status::io(fmt::format("external data '{}': {}", location, error.message()));
  }
  fs::path relative = file.lexically_relative(root);
  if (fs::path(location).is_absolute() || relative.empty() || *relative.begin() == "..") {
    return Status::invalid_argument("external data '" + location + "' lies outside of the model's folder");
  }
  return file.string();
}

class File {
 public:
  /// Without waiting for a writer where the file is a pipe.
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

Status check_size(const File& file, const Place& place, std::size_t bytes) {
  struct stat info {};
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &info) != 0) {
    return Status::not_found(fmt::format("external data '{}': {}", place.location, std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::invalid_argument("external data '" + place.location + "' is no regular file");
  }
  if (place.has_length && place.length != bytes) {
    return Status::corrupt(
        fmt::format("external data: {} bytes do not fill its shape, which needs {}", place.length, bytes));
  }
  auto size = static_cast<std::uint64_t>(info.st_size);
  if (place.offset > size || bytes > size - place.offset) {
    return Status::corrupt(fmt::format("external data '{}' has {} bytes; {} from {} on are needed",
                                       place.location, size, bytes, place.offset));
  }
  return {};
}

}  // namespace

Status check_external(const onnx::TensorProto& proto, const std::string& folder, std::size_t bytes) {
  ZP_ASSIGN_OR_RETURN(Place place, place_of(proto));
  ZP_ASSIGN_OR_RETURN(std::string path, resolve(place.location, folder));
  return check_size(File(path), place, bytes);
}

Status read_external(const onnx::TensorProto& proto, const std::string& folder, std::span<std::byte> bytes) {
  ZP_ASSIGN_OR_RETURN(Place place, place_of(proto));
  ZP_ASSIGN_OR_RETURN(std::string path, resolve(place.location, folder));
  File file(path);
  ZP_RETURN_IF_ERROR(check_size(file, place, bytes.size()));
  for (std::size_t done = 0; done < bytes.size();) {
    ssize_t got = ::pread(file.descriptor(), bytes.data() + done, bytes.size() - done,
                          static_cast<off_t>(place.offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return Status::io(fmt::format("external data '{}': {}", place.location,
                                    got == 0 ? "it ends too early" : std::strerror(errno)));
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace zeropoint::toolchain
