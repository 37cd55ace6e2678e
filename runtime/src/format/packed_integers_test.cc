#include "format/packed_integers.h"

#include <gtest/gtest.h>

#include <random>

namespace zeropoint::format {
namespace {

/// `values`, again and again.
template <typename T>
Tensor repeated(const std::vector<T>& values) {
  Tensor tensor(kElementTypeOf<T>, {120});
  for (std::size_t i = 0; i < 120; ++i) {
    tensor.data<T>()[i] = values[i % values.size()];
  }
  return tensor;
}

TEST(PackedIntegers, AsManyBitsAsTheLargestNeeds) {
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({-1, 0, 1})), 2);
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({-2, 1})), 2);
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({-8, 7})), 4);
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({-9, 7})), 5);
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({0, 63})), 7);
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({0, 64})), 0);
  EXPECT_EQ(packed_bits(repeated<std::int8_t>({-128})), 0);
  EXPECT_EQ(packed_bits(repeated<std::uint8_t>({0, 15})), 4);
  EXPECT_EQ(packed_bits(repeated<std::uint8_t>({127})), 7);
  EXPECT_EQ(packed_bits(repeated<std::uint8_t>({128})), 0);
  EXPECT_EQ(packed_bits(repeated<std::uint8_t>({0})), 1);
  EXPECT_EQ(packed_bits(repeated<std::int16_t>({0})), 0);
  EXPECT_EQ(packed_bits(repeated<float>({0})), 0);
  EXPECT_EQ(packed_bits(Tensor::of<std::int8_t>({2}, {0, 1})), 0);
}

TEST(PackedIntegers, BitsLieAsTheFormatSays) {
  Tensor tensor = Tensor::of<std::int8_t>({3}, {1, -1, -4});  // 001 111 100
  EXPECT_EQ(pack(tensor, 3), (std::vector<std::byte>{std::byte{0b00111001}, std::byte{0b1}}));
}

TEST(PackedIntegers, ComeBackForEveryWidthAndLength) {
  std::mt19937 random(1);
  for (int bits = 1; bits <= 7; ++bits) {
    for (std::int64_t count = 0; count <= 70; ++count) {
      for (ElementType type : {ElementType::kInt8, ElementType::kUint8}) {
        Tensor tensor(type, {count});
        int least = type == ElementType::kInt8 ? -(1 << (bits - 1)) : 0;
        for (std::int64_t i = 0; i < count; ++i) {
          int value = least + static_cast<int>(random() % (1U << bits));
          tensor.bytes()[i] = static_cast<std::byte>(value & 0xff);
        }
        std::vector<std::byte> packed = pack(tensor, bits);
        ASSERT_EQ(packed.size(), packed_size(static_cast<std::uint64_t>(count), bits));
        Tensor back(type, {count});
        unpack(packed, bits, back);
        ASSERT_EQ(back, tensor) << bits << " bits, " << count;
      }
    }
  }
}

TEST(PackedIntegers, SizesDoNotOverflow) {
  EXPECT_EQ(packed_size(std::uint64_t{1} << 62, 7), (std::uint64_t{1} << 59) * 7);
  EXPECT_EQ(packed_size(9, 7), 8U);
}

}  // namespace
}  // namespace zeropoint::format
