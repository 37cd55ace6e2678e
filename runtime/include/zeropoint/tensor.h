#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint {

/// Element types of tensors. The numbers are those of ONNX's TensorProto.DataType and are frozen.
enum class ElementType : std::uint8_t {
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBFloat16 = 16,
  kUint4 = 21,
  kInt4 = 22,
};

/// The type with that number, if it is one of these.
std::optional<ElementType> element_type_of(std::int64_t number) noexcept;
/// Bytes of one element in a Tensor. Files may pack elements of 4 bits in pairs; a Tensor gives each its
/// byte.
std::size_t size_of(ElementType type) noexcept;
/// The type's name as ONNX and NumPy write it: "float32", "int8", ...
std::string_view name_of(ElementType type) noexcept;
/// True for the integer types, bool excluded.
bool is_integer(ElementType type) noexcept;

/// Extents of a tensor, outermost first. An empty shape is a scalar.
using Shape = std::vector<std::int64_t>;

/// "[64, 1, 28, 28]"
std::string to_string(const Shape& shape);
/// The product of the extents; an error when one is negative or the product does not fit 63 bits.
Result<std::int64_t> element_count(const Shape& shape) noexcept;

namespace internal {
template <typename T>
struct ElementTypeOf;
#define ZP_ELEMENT_TYPE(cpp_type, enumerator)                      \
  template <>                                                      \
  struct ElementTypeOf<cpp_type> {                                 \
    static constexpr ElementType kValue = ElementType::enumerator; \
  };
ZP_ELEMENT_TYPE(float, kFloat32)
ZP_ELEMENT_TYPE(double, kFloat64)
ZP_ELEMENT_TYPE(std::uint8_t, kUint8)
ZP_ELEMENT_TYPE(std::int8_t, kInt8)
ZP_ELEMENT_TYPE(std::uint16_t, kUint16)
ZP_ELEMENT_TYPE(std::int16_t, kInt16)
ZP_ELEMENT_TYPE(std::uint32_t, kUint32)
ZP_ELEMENT_TYPE(std::int32_t, kInt32)
ZP_ELEMENT_TYPE(std::uint64_t, kUint64)
ZP_ELEMENT_TYPE(std::int64_t, kInt64)
#undef ZP_ELEMENT_TYPE
}  // namespace internal

/// The ElementType whose elements are stored as T.
template <typename T>
inline constexpr ElementType kElementTypeOf = internal::ElementTypeOf<T>::kValue;

/// Whether the elements of `type` are stored as T.
template <typename T>
bool is_stored_as(ElementType type) {
  return type == kElementTypeOf<T> ||
         (kElementTypeOf<T> == ElementType::kInt8 && type == ElementType::kInt4) ||
         (kElementTypeOf<T> == ElementType::kUint8 && type == ElementType::kUint4);
}

/// A dense, row-major array with its own memory, 64-byte aligned, zero when made. A value: copies are deep.
class Tensor {
 public:
  /// A scalar float32 zero.
  Tensor() : Tensor(ElementType::kFloat32, {}) {}
  /// Zeros. The shape must be valid (see element_count); throws std::bad_alloc when memory is short.
  Tensor(ElementType type, Shape shape);
  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&& other) noexcept = default;
  Tensor& operator=(Tensor&& other) noexcept = default;
  ~Tensor() = default;

  /// A tensor of `values`, whose number must be the shape's element count.
  template <typename T>
  static Tensor of(Shape shape, std::span<const T> values);
  template <typename T>
  static Tensor of(Shape shape, const std::vector<T>& values) {
    return of(std::move(shape), std::span<const T>(values));
  }

  [[nodiscard]] ElementType type() const { return type_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(shape_.size()); }
  /// The extent of `axis`; negative axes count from the end.
  [[nodiscard]] std::int64_t dim(std::int64_t axis) const {
    return shape_[static_cast<std::size_t>(axis < 0 ? axis + rank() : axis)];
  }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::size_t byte_size() const { return static_cast<std::size_t>(size_) * size_of(type_); }

  [[nodiscard]] std::byte* bytes() { return memory_.get(); }
  [[nodiscard]] const std::byte* bytes() const { return memory_.get(); }

  /// The elements; T must be the stored type.
  template <typename T>
  [[nodiscard]] std::span<T> data() {
    assert(is_stored_as<T>(type_));
    return {reinterpret_cast<T*>(memory_.get()), static_cast<std::size_t>(size_)};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> data() const {
    assert(is_stored_as<T>(type_));
    return {reinterpret_cast<const T*>(memory_.get()), static_cast<std::size_t>(size_)};
  }

  /// Gives the same elements another shape of the same element count.
  void reshape(Shape shape);

  /// A tensor over memory of the caller's, which must hold the shape's elements and outlive it. Copies own
  /// theirs.
  static Tensor borrow(ElementType type, Shape shape, std::byte* memory);

  /// Same type, shape and bytes. NaNs are compared by their bits.
  friend bool operator==(const Tensor& a, const Tensor& b);

 private:
  class Free {
   public:
    explicit Free(bool owned) : owned_(owned) {}
    void operator()(std::byte* memory) const;

   private:
    bool owned_;
  };
  struct Borrowed {};
  Tensor(Borrowed /*tag*/, ElementType type, Shape shape, std::byte* memory);

  ElementType type_;
  Shape shape_;
  std::int64_t size_ = 0;
  std::unique_ptr<std::byte[], Free> memory_{nullptr, Free(true)};
};

template <typename T>
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  Tensor tensor(kElementTypeOf<T>, std::move(shape));
  assert(static_cast<std::size_t>(tensor.size()) == values.size());
  std::copy(values.begin(), values.end(), tensor.template data<T>().begin());
  return tensor;
}

/// Calls `function` with a value-initialised element of the C++ type that stores `type`, for the integer
/// types of up to 64 bits; returns false, without a call, for the others.
template <typename Function>
bool visit_integer(ElementType type, Function&& function) {
  switch (type) {
    case ElementType::kInt8:
    case ElementType::kInt4:
      function(std::int8_t{});
      return true;
    case ElementType::kUint8:
    case ElementType::kUint4:
      function(std::uint8_t{});
      return true;
    case ElementType::kInt16:
      function(std::int16_t{});
      return true;
    case ElementType::kUint16:
      function(std::uint16_t{});
      return true;
    case ElementType::kInt32:
      function(std::int32_t{});
      return true;
    case ElementType::kUint32:
      function(std::uint32_t{});
      return true;
    case ElementType::kInt64:
      function(std::int64_t{});
      return true;
    case ElementType::kUint64:
      function(std::uint64_t{});
      return true;
    default:
      return false;
  }
}

}  // namespace zeropoint
