#include "zeropoint/toolchain/to_float32.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "zeropoint/half.h"

namespace zeropoint::toolchain {
namespace {

Tensor of_bits(ElementType type, const std::vector<std::uint16_t>& bits) {
  Tensor tensor(type, {static_cast<std::int64_t>(bits.size())});
  std::memcpy(tensor.bytes(), bits.data(), tensor.byte_size());
  return tensor;
}

/// The definition of binary16, computed in double.
double value_of_half(std::uint16_t half) {
  int exponent = half >> 10 & 0x1f;
  int mantissa = half & 0x3ff;
  double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(ToFloat32, IsExactForEveryFloat16) {
  for (std::uint32_t i = 0; i <= 0xffff; ++i) {
    auto half = static_cast<std::uint16_t>(i);
    std::uint32_t bits = float16_to_float32_bits(half);
    if ((half & 0x7c00) == 0x7c00) {
      // Infinities and NaNs keep their sign and payload.
      ASSERT_EQ(bits, (i & 0x8000u) << 16 | 0x7f800000u | (i & 0x3ffu) << 13) << i;
    } else {
      ASSERT_EQ(bits, std::bit_cast<std::uint32_t>(static_cast<float>(value_of_half(half)))) << i;
      ASSERT_EQ(double{std::bit_cast<float>(bits)}, value_of_half(half)) << i;
    }
  }
}

TEST(ToFloat32, ConvertsTensors) {
  Result<Tensor> half = to_float32(of_bits(ElementType::kFloat16, {0x3c00, 0x0001, 0x8000, 0xfc00, 0x7bff}));
  ASSERT_TRUE(half.ok());
  EXPECT_TRUE(*half ==
              Tensor::of<float>({5}, {1, 0x1p-24f, -0.0f, -std::numeric_limits<float>::infinity(), 65504}));
  // 1, the smallest denormal, infinity, a NaN with its payload.
  Result<Tensor> brain = to_float32(of_bits(ElementType::kBFloat16, {0x3f80, 0x0001, 0x7f80, 0xffc1}));
  ASSERT_TRUE(brain.ok());
  const std::uint32_t bits[] = {0x3f800000, 0x00010000, 0x7f800000, 0xffc10000};
  EXPECT_EQ(std::memcmp(brain->bytes(), bits, sizeof(bits)), 0);
  EXPECT_EQ(brain->type(), ElementType::kFloat32);
}

TEST(ToFloat32, RoundsFloat64ToNearestEven) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Result<Tensor> result =
      to_float32(Tensor::of<double>({2, 3}, {1 + 0x1p-24, 1 + 0x3p-24, 1e300, -1e-300, 0x1p-149, -HUGE_VAL}));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(*result ==
              Tensor::of<float>({2, 3}, {1, 1 + 0x1p-22f, kInfinity, -0.0f, 0x1p-149f, -kInfinity}));
  Result<Tensor> nan = to_float32(Tensor::of<double>({}, {std::nan("")}));
  ASSERT_TRUE(nan.ok());
  EXPECT_TRUE(std::isnan(nan->data<float>()[0]));
}

TEST(ToFloat32, CopiesFloat32AndRefusesIntegers) {
  Tensor tensor = Tensor::of<float>({2}, {1, 2});
  Result<Tensor> same = to_float32(tensor);
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(*same == tensor);
  Status status = to_float32(Tensor(ElementType::kInt8, {2})).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("int8"), std::string::npos);
}

}  // namespace
}  // namespace zeropoint::toolchain
