#include "zeropoint/requantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace zeropoint {
namespace {

constexpr QuantizedRange kS8{-128, 127};

TEST(FloatMultiplier, MultipliesThenDivides) {
  EXPECT_EQ(*float_multiplier(0.1F, 0.3F, 0.7F), 0.1F * 0.3F / 0.7F);
  EXPECT_FALSE(float_multiplier(1e-30F, 1e-30F, 1e-30F).ok());
  EXPECT_FALSE(float_multiplier(1, 1, 0).ok());
  EXPECT_FALSE(float_multiplier(1e30F, 1e30F, 1).ok());
  EXPECT_FALSE(float_multiplier(NAN, 1, 1).ok());
}

TEST(FixedPoint, KnownMultipliers) {
  EXPECT_EQ(*fixed_point_multiplier(1, 1, 1), (FixedPointMultiplier{1 << 30, 30}));
  EXPECT_EQ(*fixed_point_multiplier(0.5F, 1, 1), (FixedPointMultiplier{1 << 30, 31}));
  EXPECT_EQ(*fixed_point_multiplier(3, 1, 4), (FixedPointMultiplier{3 << 29, 31}));
  EXPECT_EQ(*fixed_point_multiplier(1e-20F, 1e-20F, 1), (FixedPointMultiplier{0, 62}));
  EXPECT_FALSE(fixed_point_multiplier(1e20F, 1e20F, 1).ok());
  EXPECT_FALSE(fixed_point_multiplier(1, 1, 0).ok());
  EXPECT_FALSE(fixed_point_multiplier(-1, 1, 1).ok());
}

TEST(FixedPoint, RoundsHalfUp) {
  FixedPointMultiplier half = *fixed_point_multiplier(0.5F, 1, 1);
  const std::pair<std::int32_t, std::int64_t> cases[] = {{0, 0},  {1, 1},   {2, 1},  {3, 2},
                                                         {-1, 0}, {-2, -1}, {-3, -1}};
  for (auto [accumulator, expected] : cases) {
    EXPECT_EQ(multiply_fixed_point(accumulator, half), expected) << accumulator;
  }
}

// Against exact arithmetic in 128 bits, at random and at the corners of int32.
TEST(FixedPoint, EqualsTheExactProduct) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> exponent(-40, 14);
  for (int i = 0; i < 20000; ++i) {
    FixedPointMultiplier m = *fixed_point_multiplier(std::exp2(exponent(random)), 1, 1);
    auto any = static_cast<std::int32_t>(random());
    for (std::int32_t accumulator : {any, any >> 12, std::numeric_limits<std::int32_t>::min(),
                                     std::numeric_limits<std::int32_t>::max(), -1, 0, 1}) {
      __extension__ using Wide = __int128;
      Wide twice = 2 * static_cast<Wide>(accumulator) * m.mantissa + (static_cast<Wide>(1) << m.shift);
      Wide denominator = static_cast<Wide>(1) << (m.shift + 1);
      Wide floored = twice / denominator - (twice % denominator < 0 ? 1 : 0);
      ASSERT_EQ(multiply_fixed_point(accumulator, m), static_cast<std::int64_t>(floored)) << accumulator;
    }
  }
}

TEST(FixedPoint, MantissaIsWithinHalfOfItsLastBit) {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> exponent(-30, 28);
  for (int i = 0; i < 10000; ++i) {
    float s_in = std::exp2(exponent(random) / 2);
    float s_w = std::exp2(exponent(random) / 2);
    FixedPointMultiplier m = *fixed_point_multiplier(s_in, s_w, 1);
    double real = static_cast<double>(s_in) * s_w;
    ASSERT_GE(m.mantissa, 1 << 30);
    ASSERT_LE(std::abs(std::ldexp(m.mantissa, -m.shift) - real), std::ldexp(real, -31));
  }
}

TEST(Requantize, FloatTiesGoToEvenAndFixedTiesUp) {
  FixedPointMultiplier half = *fixed_point_multiplier(0.5F, 1, 1);
  EXPECT_EQ(requantize(5, 0.5F, 0, kS8), 2);
  EXPECT_EQ(requantize(5, half, 0, kS8), 3);
  EXPECT_EQ(requantize(-5, 0.5F, 0, kS8), -2);
  EXPECT_EQ(requantize(-5, half, 0, kS8), -2);
  EXPECT_EQ(requantize(7, 0.5F, 10, kS8), 14);
  EXPECT_EQ(requantize(1000, 0.5F, 10, kS8), 127);
  EXPECT_EQ(requantize(-1000, half, 10, kS8), -128);
  EXPECT_EQ(requantize(std::numeric_limits<std::int32_t>::min(), 1e30F, 0, kS8), -128);
}

// The two modes round the same real product; they may differ by one step, and only close to a tie.
TEST(Requantize, TheTwoModesDifferOnlyAtTies) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> exponent(-14, -4);
  int differing = 0;
  for (int i = 0; i < 200000; ++i) {
    float s = std::exp2(exponent(random));
    auto accumulator = static_cast<std::int32_t>(random()) >> 12;
    std::int64_t a = requantize(accumulator, *float_multiplier(s, 1, 1), 0, kS8);
    std::int64_t b = requantize(accumulator, *fixed_point_multiplier(s, 1, 1), 0, kS8);
    if (a != b) {
      ++differing;
      double product = accumulator * static_cast<double>(s);
      ASSERT_EQ(std::abs(a - b), 1);
      ASSERT_NEAR(std::abs(product - std::floor(product)), 0.5, 1e-4);
    }
  }
  EXPECT_LT(differing, 200);
}

TEST(Bias, QuantizedAtTheProductOfTheScales) {
  QuantizedBias bias = *quantize_bias(std::vector<float>{1, -0.25F}, 0.5F, std::vector<float>{0.25F, 0.125F});
  EXPECT_EQ(bias.values, (std::vector<std::int32_t>{8, -4}));
  EXPECT_EQ(bias.scales, (std::vector<float>{0.125F, 0.0625F}));
  EXPECT_EQ(quantize_bias(std::vector<float>{1, 2}, 0.5F, std::vector<float>{0.25F})->values,
            (std::vector<std::int32_t>{8, 16}));
  EXPECT_FALSE(quantize_bias(std::vector<float>{1, 2}, 1, std::vector<float>{1, 1, 1}).ok());
}

TEST(Bias, BeyondInt32IsRefusedAndCuredByTheWeightScale) {
  std::vector<float> bias{0.1F, 30.0F};
  std::vector<float> scales{1e-3F, 1e-9F};
  Result<QuantizedBias> refused = quantize_bias(bias, 1e-3F, scales);
  EXPECT_NE(refused.status().message().find("of channel 1 does not fit int32"), std::string::npos);
  EXPECT_FALSE(quantize_bias(std::vector<float>{NAN}, 1, std::vector<float>{1}).ok());

  EXPECT_EQ(weight_scale_that_holds_bias(bias[0], 1e-3F, scales[0]), scales[0]);
  std::mt19937 random(6);
  std::uniform_real_distribution<float> exponent(-20, 10);
  for (int i = 0; i < 10000; ++i) {
    float b = std::exp2(exponent(random)) * (i % 2 == 0 ? 1.0F : -1.0F);
    float s_in = std::exp2(exponent(random) - 10);
    float s_w = weight_scale_that_holds_bias(b, s_in, 1e-20F);
    ASSERT_TRUE(quantize_bias(std::vector<float>{b}, s_in, std::vector<float>{s_w}).ok()) << b << " " << s_in;
    // just enough: a scale smaller by one part in a thousand does not hold it
    ASSERT_FALSE(quantize_bias(std::vector<float>{b}, s_in, std::vector<float>{s_w * 0.999F}).ok()) << b;
  }
}

TEST(Bias, FoldsTheInputZeroPoint) {
  // sum (q - Z) w + b == sum q w + (b - Z sum w)
  std::vector<std::int64_t> q{3, 250, 17};
  std::vector<std::int64_t> w{-7, 5, 1};
  std::int64_t z = 128;
  std::int64_t left = 11;
  std::int64_t right = fold_zero_point(11, z, -7 + 5 + 1);
  for (std::size_t i = 0; i < 3; ++i) {
    left += (q[i] - z) * w[i];
    right += q[i] * w[i];
  }
  EXPECT_EQ(left, right);
}

TEST(Accumulator, BoundsHoldAndAreReached) {
  std::vector<std::int8_t> w{-128, 127, 3};
  QuantizedRange bounds = accumulator_bounds<std::int8_t>(w, {0, 255}, 100);
  EXPECT_EQ(bounds, (QuantizedRange{-32640, 33250}));
  EXPECT_EQ(accumulator_bounds<std::int8_t>(w, {-128, 127}, -5),
            (QuantizedRange{-16256 - 16256 - 384 - 5, 16384 + 16129 + 381}));
  // 2^17 products of 255 * 127 pass int32.
  std::vector<std::int8_t> many(1 << 17, 127);
  EXPECT_GT(accumulator_bounds<std::int8_t>(many, {0, 255}, 0).q_max,
            std::numeric_limits<std::int32_t>::max());
}

TEST(Accumulator, BoundsOfWideWeightsEndAt2ToThe62) {
  std::vector<std::int32_t> w(1 << 17, 1 << 30);
  EXPECT_EQ(accumulator_bounds<std::int32_t>(w, {0, 65535}, 0).q_max, std::int64_t{1} << 62);
  EXPECT_EQ(accumulator_bounds<std::int32_t>(w, {-65535, 0}, 0).q_min, -(std::int64_t{1} << 62));
}

TEST(FixedPoint, WideAccumulatorsAreMultipliedExactly) {
  std::mt19937_64 random(7);
  __extension__ using Wide = __int128;
  for (int i = 0; i < 100000; ++i) {
    std::int64_t accumulator = static_cast<std::int64_t>(random()) >> (2 + random() % 40);
    FixedPointMultiplier m{static_cast<std::int32_t>((1U << 30) + random() % (1U << 30)),
                           static_cast<std::int32_t>(1 + random() % 62)};
    Wide exact =
        (static_cast<Wide>(accumulator) * m.mantissa + (static_cast<Wide>(1) << (m.shift - 1))) >> m.shift;
    Wide most = static_cast<Wide>(1) << 62;
    Wide clamped = exact > most ? most : (exact < -most ? -most : exact);
    std::int64_t actual = multiply_fixed_point_wide(accumulator, m);
    // Close to the bound either answer is one that every range clamps.
    bool saturated = actual == (std::int64_t{1} << 62) || actual == -(std::int64_t{1} << 62);
    ASSERT_TRUE(actual == static_cast<std::int64_t>(clamped) ||
                (saturated && (exact > most / 4 || exact < -(most / 4))))
        << accumulator << " * " << m.mantissa << " >> " << m.shift;
  }
}

// Weights of 8 bits are summed by sign first.
TEST(AccumulatorBounds, OfAnyInputAreTheSameForWiderWeights) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::int8_t> narrow(random() % 5000);
    for (std::int8_t& weight : narrow) {
      weight = static_cast<std::int8_t>(static_cast<int>(random() % 256) - 128);
    }
    std::vector<std::int16_t> wide(narrow.begin(), narrow.end());
    std::int64_t a = static_cast<std::int64_t>(random() % 600) - 300;
    QuantizedRange input{a, a + static_cast<std::int64_t>(random() % 600)};
    std::int64_t bias = static_cast<std::int64_t>(random()) - (std::int64_t{1} << 31);
    ASSERT_EQ(accumulator_bounds<std::int8_t>(narrow, input, bias),
              accumulator_bounds<std::int16_t>(wide, input, bias));
  }
}

}  // namespace
}  // namespace zeropoint
