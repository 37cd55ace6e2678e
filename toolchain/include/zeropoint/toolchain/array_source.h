#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// An array whose rows, the parts along its first axis, are read when they are asked for. All members may be
/// called from many threads.
class ArraySource {
 public:
  virtual ~ArraySource() = default;
  ArraySource(const ArraySource&) = delete;
  ArraySource& operator=(const ArraySource&) = delete;

  [[nodiscard]] ElementType type() const { return type_; }
  /// [rows, row shape...]
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t rows() const { return shape_[0]; }
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  /// Where the array is from: "x.npy", "set.npz:x".
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Fills `out`, a multiple of row_bytes(), with the rows from `first` on. kInvalidArgument, naming the
  /// array, when there are not so many; otherwise kIo.
  Status read(std::int64_t first, std::span<std::byte> out) const;

 protected:
  /// `shape` has at least one axis and element_count(shape) is ok.
  ArraySource(std::string name, ElementType type, Shape shape);

 private:
  virtual Status read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;

  std::string name_;
  ElementType type_;
  Shape shape_;
  std::size_t row_bytes_;
};

/// A tensor as a source. kInvalidArgument for a scalar, which has no rows.
Result<std::shared_ptr<const ArraySource>> array_in_memory(std::string name, Tensor tensor);

/// The array of a .npy file, read from disk row by row. Arrays in Fortran order, whose rows are not together
/// in the file, are read as a whole. Errors as read_npy().
Result<std::shared_ptr<const ArraySource>> open_npy(const std::string& path);

/// A file of nothing but little-endian elements of `type`, shape [elements]. kCorrupt when its size is no
/// multiple of theirs.
Result<std::shared_ptr<const ArraySource>> open_raw(const std::string& path, ElementType type);

}  // namespace zeropoint::toolchain
