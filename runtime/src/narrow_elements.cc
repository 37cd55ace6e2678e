#include "narrow_elements.h"

namespace zeropoint {
namespace {

/// Whether no byte that `shift` was added to has a bit of `mask`.
bool lack_bits(std::span<const std::byte> bytes, unsigned shift, unsigned mask) {
  unsigned found = 0;
  for (std::byte byte : bytes) {
    found |= (std::to_integer<unsigned>(byte) + shift) & mask;
  }
  return found == 0;
}

}  // namespace

bool are_elements(ElementType type, std::span<const std::byte> bytes) {
  switch (type) {
    case ElementType::kBool:
      return lack_bits(bytes, 0, 0xFE);
    case ElementType::kUint4:
      return lack_bits(bytes, 0, 0xF0);
    case ElementType::kInt4:
      return lack_bits(bytes, 8, 0xF0);
    default:
      return true;
  }
}

void wrap_into_type(Tensor& tensor) {
  if (tensor.type() == ElementType::kUint4) {
    for (std::uint8_t& value : tensor.data<std::uint8_t>()) {
      value &= 0x0F;
    }
  } else if (tensor.type() == ElementType::kInt4) {
    for (std::int8_t& value : tensor.data<std::int8_t>()) {
      value = static_cast<std::int8_t>(((value + 8) & 0x0F) - 8);
    }
  }
}

Status not_elements(ElementType type, const std::string& name) {
  const char* range = type == ElementType::kBool    ? "0 and 1"
                      : type == ElementType::kUint4 ? "0 to 15"
                                                    : "-8 to 7";
  return Status::invalid_argument("'", name, "' is ", name_of(type), ", whose bytes are ", range,
                                  "; others are among its elements");
}

}  // namespace zeropoint
