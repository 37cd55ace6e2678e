#include "format/packed_integers.h"

#include <algorithm>
#include <bit>

#include "format/layout.h"

namespace zeropoint::format {
namespace {

bool is_signed(ElementType type) { return type == ElementType::kInt8 || type == ElementType::kInt4; }

/// Bits of the two's complement, or of the unsigned number.
template <typename T>
int bits_of(T value) {
  if constexpr (std::is_signed_v<T>) {
    auto magnitude = static_cast<std::uint8_t>(value < 0 ? ~value : value);
    return std::bit_width(magnitude) + 1;
  } else {
    return std::max(1, static_cast<int>(std::bit_width(value)));
  }
}

template <typename T>
int most_bits(std::span<const T> values) {
  int bits = 1;
  for (T value : values) {
    bits = std::max(bits, bits_of(value));
  }
  return bits;
}

}  // namespace

int packed_bits(const Tensor& tensor) {
  // A tensor of a few bytes takes as much room in a file as one of 64.
  if (!is_integer(tensor.type()) || size_of(tensor.type()) != 1 || tensor.byte_size() <= kAlignment) {
    return 0;
  }
  int bits = is_signed(tensor.type()) ? most_bits(tensor.data<std::int8_t>())
                                      : most_bits(tensor.data<std::uint8_t>());
  return bits < 8 ? bits : 0;
}

std::uint64_t packed_size(std::uint64_t count, int bits) {
  auto n = static_cast<std::uint64_t>(bits);
  return count / 8 * n + (count % 8 * n + 7) / 8;
}

std::vector<std::byte> pack(const Tensor& tensor, int bits) {
  std::vector<std::byte> packed;
  packed.reserve(packed_size(static_cast<std::uint64_t>(tensor.size()), bits));
  std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t waiting = 0;  // bits that are not yet a byte
  int count = 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    waiting |= (std::to_integer<std::uint32_t>(tensor.bytes()[i]) & mask) << count;
    for (count += bits; count >= 8; count -= 8) {
      packed.push_back(static_cast<std::byte>(waiting & 0xff));
      waiting >>= 8;
    }
  }
  if (count > 0) {
    packed.push_back(static_cast<std::byte>(waiting));
  }
  return packed;
}

void unpack(std::span<const std::byte> packed, int bits, Tensor& tensor) {
  std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t sign = is_signed(tensor.type()) ? 1U << (bits - 1) : 0;
  std::uint32_t waiting = 0;
  int count = 0;
  std::size_t next = 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (count < bits) {
      waiting |= std::to_integer<std::uint32_t>(packed[next++]) << count;
      count += 8;
    }
    std::uint32_t value = waiting & mask;
    tensor.bytes()[i] = static_cast<std::byte>(((value ^ sign) - sign) & 0xff);
    waiting >>= bits;
    count -= bits;
  }
}

}  // namespace zeropoint::format
