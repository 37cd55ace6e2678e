#include "zeropoint/toolchain/array_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/boundary.h"
#include "data/npy_elements.h"
#include "io/random_access_file.h"

namespace zeropoint::toolchain {
namespace {

class TensorSource final : public ArraySource {
 public:
  TensorSource(std::string name, Tensor tensor)
      : ArraySource(std::move(name), tensor.type(), tensor.shape()), tensor_(std::move(tensor)) {}

 private:
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    std::memcpy(out.data(), tensor_.bytes() + offset, out.size());
    return {};
  }

  Tensor tensor_;
};

class FileSource final : public ArraySource {
 public:
  FileSource(RandomAccessFile file, const NpyHeader& header)
      : ArraySource(file.path(), header.type, header.shape), file_(std::move(file)), header_(header) {}

 private:
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    ZP_RETURN_IF_ERROR(file_.read_at(header_.offset + offset, out));
    to_native_elements(header_, out);
    return {};
  }

  RandomAccessFile file_;
  NpyHeader header_;
};

}  // namespace

ArraySource::ArraySource(std::string name, ElementType type, Shape shape)
    : name_(std::move(name)), type_(type), shape_(std::move(shape)) {
  std::int64_t row = 1;
  for (std::size_t axis = 1; axis < shape_.size(); ++axis) {
    row *= shape_[axis];
  }
  row_bytes_ = static_cast<std::size_t>(row) * size_of(type_);
}

Status ArraySource::read(std::int64_t first, std::span<std::byte> out) const {
  std::size_t count = row_bytes_ == 0 ? 0 : out.size() / row_bytes_;
  if (first < 0 || first > rows() || static_cast<std::int64_t>(count) > rows() - first ||
      count * row_bytes_ != out.size()) {
    return Status::invalid_argument(fmt::format("{}: there are no rows {} to {} in {}", name_, first,
                                                first + static_cast<std::int64_t>(count) - 1,
                                                to_string(shape_)));
  }
  return out.empty() ? Status() : read_at(static_cast<std::uint64_t>(first) * row_bytes_, out);
}

Result<std::shared_ptr<const ArraySource>> array_in_memory(std::string name, Tensor tensor) {
  return without_exceptions("array", [&]() -> Result<std::shared_ptr<const ArraySource>> {
    if (tensor.rank() == 0) {
      return Status::invalid_argument(name + ": a single number is no array of samples");
    }
    return std::shared_ptr<const ArraySource>(
        std::make_shared<TensorSource>(std::move(name), std::move(tensor)));
  });
}

Result<std::shared_ptr<const ArraySource>> open_npy(const std::string& path) {
  return without_exceptions(path.c_str(), [&]() -> Result<std::shared_ptr<const ArraySource>> {
    ZP_ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::open(path));
    std::vector<std::byte> beginning(
        static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), kMaxNpyHeader)));
    ZP_RETURN_IF_ERROR(file.read_at(0, beginning));
    Result<NpyHeader> header = parse_npy_header(beginning, file.size());
    ZP_RETURN_IF_ERROR(header.status().at(path));
    if (header->fortran_order || header->shape.empty()) {
      ZP_ASSIGN_OR_RETURN(Tensor tensor, read_npy(path));
      return array_in_memory(path, std::move(tensor));
    }
    return std::shared_ptr<const ArraySource>(std::make_shared<FileSource>(std::move(file), *header));
  });
}

Result<std::shared_ptr<const ArraySource>> open_raw(const std::string& path, ElementType type) {
  return without_exceptions(path.c_str(), [&]() -> Result<std::shared_ptr<const ArraySource>> {
    ZP_ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::open(path));
    std::uint64_t width = size_of(type);
    if (file.size() % width != 0) {
      return Status::corrupt(
          fmt::format("{}: {} bytes are no whole number of {} elements", path, file.size(), name_of(type)));
    }
    NpyHeader header{.type = type,
                     .big_endian = false,
                     .fortran_order = false,
                     .shape = {static_cast<std::int64_t>(file.size() / width)},
                     .offset = 0};
    return std::shared_ptr<const ArraySource>(std::make_shared<FileSource>(std::move(file), header));
  });
}

}  // namespace zeropoint::toolchain
