#include "zeropoint/tensor.h"

#include <cstring>
#include <limits>
#include <new>

namespace zeropoint {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

std::optional<ElementType> element_type_of(std::int64_t number) noexcept {
  bool in_range = number > 0 && number <= static_cast<std::int64_t>(ElementType::kInt4);
  auto type = static_cast<ElementType>(in_range ? number : 0);
  return size_of(type) != 0 ? std::optional(type) : std::nullopt;
}

std::size_t size_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::kBool:
    case ElementType::kInt8:
    case ElementType::kUint8:
    case ElementType::kInt4:
    case ElementType::kUint4:
      return 1;
    case ElementType::kInt16:
    case ElementType::kUint16:
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      return 2;
    case ElementType::kFloat32:
    case ElementType::kInt32:
    case ElementType::kUint32:
      return 4;
    case ElementType::kFloat64:
    case ElementType::kInt64:
    case ElementType::kUint64:
      return 8;
  }
  return 0;
}

std::string_view name_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kUint8:
      return "uint8";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUint16:
      return "uint16";
    case ElementType::kInt16:
      return "int16";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kBool:
      return "bool";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kFloat64:
      return "float64";
    case ElementType::kUint32:
      return "uint32";
    case ElementType::kUint64:
      return "uint64";
    case ElementType::kBFloat16:
      return "bfloat16";
    case ElementType::kInt4:
      return "int4";
    case ElementType::kUint4:
      return "uint4";
  }
  return "unknown";
}

bool is_integer(ElementType type) noexcept {
  return visit_integer(type, [](auto) {});
}

std::string to_string(const Shape& shape) { return join({shape}); }

Result<std::int64_t> element_count(const Shape& shape) noexcept {
  std::int64_t count = 1;
  for (std::int64_t extent : shape) {
    if (extent < 0) {
      return Status::invalid_argument("shape ", shape, " has a negative extent");
    }
    if (__builtin_mul_overflow(count, extent, &count)) {
      return Status::invalid_argument("shape ", shape, " has more elements than 63 bits can count");
    }
  }
  return count;
}

void Tensor::Free::operator()(std::byte* memory) const {
  if (owned_) {
    ::operator delete[](memory, kAlignment);
  }
}

Tensor::Tensor(ElementType type, Shape shape) : type_(type), shape_(std::move(shape)) {
  Result<std::int64_t> count = element_count(shape_);
  std::size_t bytes = 0;
  if (!count.ok() || __builtin_mul_overflow(static_cast<std::size_t>(*count), size_of(type_), &bytes)) {
    throw std::bad_alloc();
  }
  size_ = *count;
  memory_.reset(static_cast<std::byte*>(::operator new[](bytes, kAlignment)));
  std::memset(memory_.get(), 0, bytes);
}

Tensor::Tensor(Borrowed /*tag*/, ElementType type, Shape shape, std::byte* memory)
    : type_(type), shape_(std::move(shape)), size_(*element_count(shape_)), memory_(memory, Free(false)) {}

Tensor Tensor::borrow(ElementType type, Shape shape, std::byte* memory) {
  return Tensor(Borrowed{}, type, std::move(shape), memory);
}

Tensor::Tensor(const Tensor& other) : Tensor(other.type_, other.shape_) {
  std::memcpy(memory_.get(), other.memory_.get(), byte_size());
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) {
    *this = Tensor(other);
  }
  return *this;
}

void Tensor::reshape(Shape shape) {
  assert(element_count(shape).ok() && *element_count(shape) == size_);
  shape_ = std::move(shape);
}

bool operator==(const Tensor& a, const Tensor& b) {
  return a.type_ == b.type_ && a.shape_ == b.shape_ &&
         std::memcmp(a.memory_.get(), b.memory_.get(), a.byte_size()) == 0;
}

}  // namespace zeropoint
