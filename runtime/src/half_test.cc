#include "zeropoint/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace zeropoint {
namespace {

TEST(Half, EveryBinary16SurvivesTheWayThroughFloat32) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    float wide = std::bit_cast<float>(float16_to_float32_bits(static_cast<std::uint16_t>(bits)));
    if (!std::isnan(wide)) {
      EXPECT_EQ(float32_to_float16_bits(wide), bits);
    } else {
      EXPECT_TRUE(std::isnan(std::bit_cast<float>(float16_to_float32_bits(float32_to_float16_bits(wide)))));
    }
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (std::uint16_t bits = 0; bits < 0x7bff; ++bits) {
    auto low = std::bit_cast<float>(float16_to_float32_bits(bits));
    auto high = std::bit_cast<float>(float16_to_float32_bits(static_cast<std::uint16_t>(bits + 1)));
    float middle = (low + high) / 2;  // exact: one more bit of mantissa
    EXPECT_EQ(float32_to_float16_bits(middle), bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(float32_to_float16_bits(std::nextafter(middle, low)), bits);
    EXPECT_EQ(float32_to_float16_bits(std::nextafter(middle, high)), bits + 1);
    EXPECT_EQ(float32_to_float16_bits(-high), 0x8000 + bits + 1);
  }
}

TEST(Half, BeyondTheLargestIsInfinite) {
  EXPECT_EQ(float32_to_float16_bits(65519.996F), 0x7bff);
  EXPECT_EQ(float32_to_float16_bits(65520.0F), 0x7c00);
  EXPECT_EQ(float32_to_float16_bits(-INFINITY), 0xfc00);
}

TEST(Half, Bfloat16IsTheUpperHalfRounded) {
  EXPECT_EQ(float32_to_bfloat16_bits(1.0F), 0x3f80);
  EXPECT_EQ(float32_to_bfloat16_bits(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(float32_to_bfloat16_bits(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(float32_to_bfloat16_bits(INFINITY), 0x7f80);
  EXPECT_TRUE(std::isnan(std::bit_cast<float>(bfloat16_to_float32_bits(float32_to_bfloat16_bits(NAN)))));
}

}  // namespace
}  // namespace zeropoint
