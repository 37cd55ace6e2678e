#pragma once

// The parts of a program file that operations are made of, checked one by one.

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "format/program_generated.h"
#include "zeropoint/operations.h"
#include "zeropoint/status.h"

namespace zeropoint::format {

/// The memory that the tensors of a program from a file lie in.
class Storage {
 public:
  /// `file` is kept by `owner`.
  Storage(std::span<const std::byte> file, std::shared_ptr<const void> owner)
      : file_(file), owner_(std::move(owner)) {}

  [[nodiscard]] std::span<const std::byte> file() const { return file_; }

  /// A view of a tensor that lies packed in the file, and is unpacked the first time. `room` bytes are left
  /// for new ones and become less; none when they do not suffice.
  std::optional<Tensor> find_or_unpack(const std::byte* packed, int bits, ElementType type,
                                       const Shape& shape, std::uint64_t count, std::uint64_t& room);

 private:
  std::span<const std::byte> file_;
  std::shared_ptr<const void> owner_;
  std::map<std::tuple<const std::byte*, int, ElementType, std::uint64_t>, std::size_t> known_;
  std::deque<Tensor> unpacked_;
};

/// Reads values until one is not sound; what comes after that is of no use, and status() says why. Nothing
/// takes more memory than the file has, however often its parts refer to the same place.
class ValueReader {
 public:
  /// The data section begins at `data_begin`; the metadata stands before it.
  ValueReader(std::shared_ptr<Storage> storage, std::size_t data_begin)
      : storage_(std::move(storage)),
        data_(storage_->file().subspan(data_begin)),
        room_for_lists_(data_begin),
        room_for_unpacked_(8 * static_cast<std::uint64_t>(data_.size())) {}

  [[nodiscard]] const Status& status() const { return status_; }
  template <typename... Parts>
  void fail(const Parts&... why) {
    if (status_.ok()) {
      status_ = Status::corrupt(why...);
    }
  }

  std::string text(const flatbuffers::String* string);
  template <typename T>
  std::vector<T> list(const flatbuffers::Vector<T>* values) {
    if (values == nullptr || !take(values->size() * sizeof(T))) {
      return {};
    }
    // Copied as bytes: the verifier lets lists of 8 bytes begin at any multiple of 4.
    std::vector<T> read(values->size());
    if (!read.empty()) {
      std::memcpy(read.data(), values->Data(), read.size() * sizeof(T));
    }
    std::ranges::transform(read, read.begin(), flatbuffers::EndianScalar<T>);
    return read;
  }

  ElementType element_type(std::uint8_t number);
  /// A view of the file, or of what was unpacked: of use as long as the storage lives.
  Tensor tensor(const zpm::Tensor* tensor);
  /// The same, keeping the storage.
  std::shared_ptr<const Tensor> constant(const zpm::Tensor* tensor);
  Op op(const zpm::Operator* op);
  Attributes attributes(const flatbuffers::Vector<flatbuffers::Offset<zpm::Attribute>>* list);

  static QuantParams params(const zpm::QuantParams* params) {
    return {params->scale(), params->zero_point()};
  }
  static Quantization quantization(const zpm::Quantization* to) {
    return {{to->scale(), to->zero_point()}, {to->q_min(), to->q_max()}};
  }
  Dequantization dequantization(const zpm::Dequantization* from);
  Requantization requantization(const zpm::Requantization* how);
  LinearLayer layer(const zpm::LinearLayer* layer);
  Window window(const zpm::Window* window);

 private:
  bool take(std::uint64_t bytes);
  Attribute attribute(const zpm::Attribute* attribute);
  /// Whether every element is one of its type: bool, int4 and uint4 do not use all values of their byte.
  static bool elements_are_sound(const Tensor& tensor);

  std::shared_ptr<Storage> storage_;
  std::span<const std::byte> data_;
  std::uint64_t room_for_lists_;
  std::uint64_t room_for_unpacked_;
  Status status_;
};

}  // namespace zeropoint::format
