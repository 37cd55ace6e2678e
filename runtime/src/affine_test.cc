#include "zeropoint/affine.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "zeropoint/affine_tensor.h"

namespace zeropoint {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr ParamsOptions kSymmetric{Scheme::kSymmetric, RangeRule::kContainZero, 0};
constexpr ParamsOptions kPlain{Scheme::kAsymmetric, RangeRule::kPlainMinMax, 0};

QuantParams params(float r_min, float r_max, QuantizedType type, ParamsOptions options = {}) {
  Result<QuantParams> result = choose_params(r_min, r_max, type, options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return *result;
}

TEST(QuantizedType, Ranges) {
  struct Case {
    QuantizedType type;
    std::int64_t q_min, q_max;
    ElementType storage;
  };
  const Case cases[] = {{{2, true}, -2, 1, ElementType::kInt8},
                        {{2, true, true}, -1, 1, ElementType::kInt8},
                        {{2, false}, 0, 3, ElementType::kUint8},
                        {{3, true}, -4, 3, ElementType::kInt8},
                        {{4, false}, 0, 15, ElementType::kUint8},
                        {{5, true}, -16, 15, ElementType::kInt8},
                        {{6, true}, -32, 31, ElementType::kInt8},
                        {{7, false}, 0, 127, ElementType::kUint8},
                        {{8, true}, -128, 127, ElementType::kInt8},
                        {{8, true, true}, -127, 127, ElementType::kInt8},
                        {{8, false}, 0, 255, ElementType::kUint8},
                        {{16, true}, -32768, 32767, ElementType::kInt16},
                        {{16, false}, 0, 65535, ElementType::kUint16},
                        {{32, true}, -2147483648LL, 2147483647, ElementType::kInt32},
                        {{32, false}, 0, 4294967295LL, ElementType::kUint32}};
  for (const Case& c : cases) {
    EXPECT_EQ(*c.type.range(), (QuantizedRange{c.q_min, c.q_max})) << c.type.name();
    EXPECT_EQ(c.type.storage(), c.storage) << c.type.name();
  }
  for (int bits : {-1, 0, 1, 9, 12, 15, 17, 31, 33, 64}) {
    EXPECT_FALSE((QuantizedType{bits, true}.range().ok())) << bits;
  }
  EXPECT_FALSE((QuantizedType{8, false, true}.range().ok()));
}

// Figures of the course chapter (Datawhale awesome-compression, chapter 4, linear quantization).
TEST(ChooseParams, CourseExampleOf25ValuesAt2Bits) {
  const std::vector<float> values{0.0523F,  0.6364F,  -0.0968F, -0.0020F, 0.1940F, 0.7500F, 0.5507F,
                                  0.6188F,  -0.1734F, 0.4677F,  -0.0669F, 0.3836F, 0.4297F, 0.6267F,
                                  -0.0695F, 0.1536F,  -0.0038F, 0.6075F,  0.6817F, 0.0601F, 0.6446F,
                                  -0.2500F, 0.5376F,  -0.2226F, 0.2333F};
  Tensor tensor = Tensor::of<float>({5, 5}, values);
  Result<TensorParams> chosen = choose_params(tensor, Granularity::per_tensor(), {2, true});
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ(chosen->params[0].scale, 1.0F / 3.0F);
  EXPECT_EQ(chosen->params[0].zero_point, -1);
  Result<Tensor> q = quantize(tensor, *chosen, {2, true});
  ASSERT_TRUE(q.ok());
  const std::vector<std::int8_t> expected{-1, 1,  -1, -1, 0, 1, 1,  1, -2, 0, -1, 0, 0,
                                          1,  -1, -1, -1, 1, 1, -1, 1, -2, 1, -2, 0};
  EXPECT_EQ(*q, Tensor::of<std::int8_t>({5, 5}, expected));
}

TEST(ChooseParams, CourseExampleOfAFullyConnectedLayerWithThePlainRange) {
  QuantParams input = params(0.0178F, 0.8626F, {2, true}, kPlain);
  EXPECT_NEAR(input.scale, 0.2816F, 5e-5F);
  EXPECT_EQ(input.zero_point, -2);
  // The default widens to 0 and so uses a little of its range for what does not occur.
  QuantParams widened = params(0.0178F, 0.8626F, {2, true});
  EXPECT_NEAR(widened.scale, 0.8626F / 3, 1e-6F);
  EXPECT_EQ(widened.zero_point, -2);
  // An output that spans 1.4045 has a scale of a third of it, wherever it lies.
  EXPECT_NEAR(params(-0.7F, 0.7045F, {2, true}, kPlain).scale, 1.4045F / 3, 1e-6F);
}

TEST(ChooseParams, CourseWeightFloor) {
  ParamsOptions weights{Scheme::kSymmetric, RangeRule::kContainZero, kWeightAbsMaxFloor};
  EXPECT_EQ(params(0, 0, {8, true}, weights).scale, static_cast<float>(static_cast<double>(5e-7F) / 127));
  EXPECT_EQ(params(-0.5F, 0.25F, {8, true}, weights), (QuantParams{static_cast<float>(0.5 / 127), 0}));
  EXPECT_EQ(params(-0.5F, 0.25F, {2, true}, weights), (QuantParams{0.5F, 0}));
}

TEST(ChooseParams, DegenerateRanges) {
  QuantizedType s8{8, true};
  QuantizedType u8{8, false};
  // all zeros, and nothing observed
  EXPECT_EQ(params(0, 0, s8), (QuantParams{1, 0}));
  EXPECT_EQ(params(0, 0, u8), (QuantParams{1, 0}));
  EXPECT_EQ(params(kInf, -kInf, s8), (QuantParams{1, 0}));
  EXPECT_EQ(params(kInf, -kInf, u8, kSymmetric), (QuantParams{1, 128}));
  // one value
  EXPECT_EQ(params(5.1F, 5.1F, u8), (QuantParams{static_cast<float>(static_cast<double>(5.1F) / 255), 0}));
  EXPECT_EQ(params(5.1F, 5.1F, u8, kPlain), params(5.1F, 5.1F, u8));
  EXPECT_EQ(params(-5.1F, -5.1F, u8).zero_point, 255);
  // a range on one side of 0
  EXPECT_EQ(params(2, 4, u8).zero_point, 0);
  EXPECT_EQ(params(-4, -2, u8).zero_point, 255);
  EXPECT_EQ(params(2, 4, u8, kPlain).zero_point, 0);  // clamped: the plain rule cannot represent this range
  // denormal
  EXPECT_EQ(params(0, 1e-40F, u8).scale, std::numeric_limits<float>::min());
  EXPECT_EQ(params(0, 1e-40F, s8, kSymmetric).scale, std::numeric_limits<float>::min());
  // the whole of float32
  constexpr float kMax = std::numeric_limits<float>::max();
  EXPECT_TRUE(std::isfinite(params(-kMax, kMax, {2, true}).scale));
  EXPECT_TRUE(std::isfinite(params(-kMax, kMax, {2, true, true}, kSymmetric).scale));
  // not finite
  for (ParamsOptions options : {ParamsOptions{}, kSymmetric, kPlain}) {
    EXPECT_FALSE(choose_params(0, kInf, s8, options).ok());
    EXPECT_FALSE(choose_params(-kInf, 0, s8, options).ok());
    EXPECT_FALSE(choose_params(kNaN, 1, s8, options).ok());
    EXPECT_FALSE(choose_params(0, kNaN, s8, options).ok());
  }
  EXPECT_FALSE(choose_params(0, 1, s8, {Scheme::kSymmetric, RangeRule::kContainZero, kNaN}).ok());
  EXPECT_FALSE(choose_params(0, 1, {9, true}).ok());
}

TEST(ChooseParams, ZeroIsExactAndTheEndsAreReached) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-30, 30);
  for (int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
    for (bool is_signed : {true, false}) {
      QuantizedType type{bits, is_signed};
      QuantizedRange range = *type.range();
      for (int i = 0; i < 2000; ++i) {
        float a = std::exp2(exponent(random)) * (random() % 2 != 0 ? 1.0F : -1.0F);
        float b = std::exp2(exponent(random)) * (random() % 2 != 0 ? 1.0F : -1.0F);
        QuantParams p = params(std::min(a, b), std::max(a, b), type);
        ASSERT_GE(p.zero_point, range.q_min);
        ASSERT_LE(p.zero_point, range.q_max);
        ASSERT_EQ(quantize(0.0F, p, range), p.zero_point);
        ASSERT_EQ(dequantize(p.zero_point, p), 0.0F);
        // Within the widened range nothing is off by more than half a step, plus the rounding of the zero
        // point.
        for (float r : {a, b}) {
          ASSERT_LE(std::abs(dequantize(quantize(r, p, range), p) - r), 1.001F * p.scale);
        }
      }
    }
  }
}

TEST(Quantize, RoundsHalfToEven) {
  QuantParams p{2, 3};
  QuantizedRange s8{-128, 127};
  const std::pair<float, std::int64_t> cases[] = {{0, 3},  {1, 3},  {3, 5},  {5, 5},
                                                  {-1, 3}, {-3, 1}, {-5, 1}, {4.9F, 5}};
  for (auto [real, q] : cases) {
    EXPECT_EQ(quantize(real, p, s8), q) << real;
  }
}

TEST(Quantize, SpecialValues) {
  QuantParams p{0.5F, 10};
  QuantizedRange u8{0, 255};
  EXPECT_EQ(quantize(kNaN, p, u8), 10);
  EXPECT_EQ(quantize(kInf, p, u8), 255);
  EXPECT_EQ(quantize(-kInf, p, u8), 0);
  EXPECT_EQ(quantize(std::numeric_limits<float>::max(), p, u8), 255);
  EXPECT_EQ(quantize(std::numeric_limits<float>::denorm_min(), p, u8), 10);
  // A zero point outside of the range, as a narrower range over a wider type can have, is clamped for NaN
  // too.
  EXPECT_EQ(quantize(kNaN, p, {0, 7}), 7);
  // 32 bits: the ends of the range are beyond what float32 resolves.
  QuantizedRange s32 = *QuantizedType{32, true}.range();
  EXPECT_EQ(quantize(3e9F, {1, 0}, s32), 2147483647);
  EXPECT_EQ(quantize(-3e9F, {1, 0}, s32), -2147483648LL);
}

TEST(Quantize, EveryInt8SurvivesTheRoundTrip) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> exponent(-100, 100);
  for (int i = 0; i < 1000; ++i) {
    QuantParams p{std::exp2(exponent(random)), static_cast<std::int64_t>(random() % 256) - 128};
    for (std::int64_t q = -128; q <= 127; ++q) {
      ASSERT_EQ(quantize(dequantize(q, p), p, {-128, 127}), q) << p.scale << " " << p.zero_point;
    }
  }
}

TEST(Granularity, ParameterShapes) {
  Shape shape{4, 3, 5};
  EXPECT_EQ(ParamsLayout::of(shape, Granularity::per_tensor())->params_shape(), Shape{});
  EXPECT_EQ(ParamsLayout::of(shape, Granularity::per_channel(1))->params_shape(), Shape{3});
  EXPECT_EQ(ParamsLayout::of(shape, Granularity::per_channel(-1))->params_shape(), Shape{5});
  EXPECT_EQ(ParamsLayout::of(shape, Granularity::per_group(2, 2))->params_shape(), (Shape{4, 3, 3}));
  EXPECT_EQ(ParamsLayout::of(shape, Granularity::per_group(0, 3))->params_shape(), (Shape{2, 3, 5}));
  EXPECT_FALSE(ParamsLayout::of(shape, Granularity::per_channel(3)).ok());
  EXPECT_FALSE(ParamsLayout::of(shape, Granularity::per_channel(-4)).ok());
  EXPECT_FALSE(ParamsLayout::of(shape, Granularity::per_group(1, 0)).ok());
}

// Every axis, every group size, against the definition by indices.
TEST(Granularity, IndexOfEveryElement) {
  Shape shape{4, 3, 5};
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    for (std::int64_t group = 0; group <= 6; ++group) {
      Granularity g = group == 0 ? Granularity::per_channel(axis) : Granularity::per_group(axis, group);
      ParamsLayout layout = *ParamsLayout::of(shape, g);
      for (std::int64_t e = 0; e < 60; ++e) {
        std::array<std::int64_t, 3> at{e / 15, e / 5 % 3, e % 5};
        std::int64_t expected = at[static_cast<std::size_t>(axis)];
        if (group != 0) {
          at[static_cast<std::size_t>(axis)] /= group;
          const Shape& p = layout.params_shape();
          expected = (at[0] * p[1] + at[1]) * p[2] + at[2];
        }
        ASSERT_EQ(layout.index_of(e), expected) << "axis " << axis << " group " << group << " element " << e;
      }
    }
  }
}

TEST(TensorQuantization, EachChannelAndGroupUsesItsOwnRange) {
  Tensor tensor = Tensor::of<float>({2, 4}, {1, -2, 0.5F, 0.25F, 10, 20, -40, 5});
  ParamsOptions symmetric = kSymmetric;
  TensorParams channels = *choose_params(tensor, Granularity::per_channel(0), {8, true}, symmetric);
  EXPECT_EQ(channels.params[0].scale, static_cast<float>(2.0 / 127));
  EXPECT_EQ(channels.params[1].scale, static_cast<float>(40.0 / 127));
  TensorParams groups = *choose_params(tensor, Granularity::per_group(1, 2), {4, true}, symmetric);
  ASSERT_EQ(groups.params.size(), 4u);
  EXPECT_EQ(groups.params[1].scale, static_cast<float>(0.5 / 7));
  EXPECT_EQ(groups.params[2].scale, static_cast<float>(20.0 / 7));
  Tensor q = *quantize(tensor, channels, {8, true});
  EXPECT_EQ(q, Tensor::of<std::int8_t>({2, 4}, {64, -127, 32, 16, 32, 64, -127, 16}));
  Tensor back = *dequantize(q, channels);
  EXPECT_EQ(back.data<float>()[1], -2.0F);
}

TEST(TensorQuantization, Refusals) {
  Tensor real(ElementType::kFloat32, {2, 2});
  TensorParams one{Granularity::per_tensor(), {{1, 0}}};
  TensorParams three{Granularity::per_channel(0), {{1, 0}, {1, 0}, {1, 0}}};
  EXPECT_FALSE(quantize(real, three, {8, true}).ok());
  EXPECT_FALSE(quantize(real, one, {0, 255}, ElementType::kInt8).ok());
  EXPECT_FALSE(quantize(real, one, {0, 1}, ElementType::kFloat32).ok());
  EXPECT_FALSE(dequantize(real, one).ok());
  EXPECT_FALSE(quantize(Tensor(ElementType::kInt8, {2}), one, {8, true}).ok());
  real.data<float>()[3] = kNaN;
  Result<TensorParams> chosen = choose_params(real, Granularity::per_tensor(), {8, true});
  EXPECT_EQ(chosen.status().message(), "element 3 is nan");
}

TEST(TensorQuantization, EmptyTensor) {
  Tensor none(ElementType::kFloat32, {0, 3});
  for (Granularity g : {Granularity::per_tensor(), Granularity::per_channel(0), Granularity::per_channel(1),
                        Granularity::per_group(1, 2)}) {
    Result<TensorParams> chosen = choose_params(none, g, {8, true});
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(quantize(none, *chosen, {8, true})->size(), 0);
  }
}

}  // namespace
}  // namespace zeropoint
