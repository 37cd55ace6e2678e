#include <cmath>
#include <limits>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

TEST(Unary, FunctionsOfOneReal) {
  struct Case {
    Op op;
    double (*function)(double);
  };
  const Case cases[] = {
      {Op::kCos, std::cos},
      {Op::kSin, std::sin},
      {Op::kTan, std::tan},
      {Op::kAtan, std::atan},
      {Op::kSinh, std::sinh},
      {Op::kCosh, std::cosh},
      {Op::kTanh, std::tanh},
      {Op::kAsinh, std::asinh},
      {Op::kErf, std::erf},
      {Op::kExp, std::exp},
      {Op::kFloor, std::floor},
      {Op::kCeil, std::ceil},
      {Op::kAbs, std::fabs},
      {Op::kNeg, [](double x) { return -x; }},
      {Op::kSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {Op::kSoftplus, [](double x) { return std::log1p(std::exp(x)); }},
      {Op::kSoftsign, [](double x) { return x / (1 + std::fabs(x)); }},
      {Op::kMish, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
      {Op::kSwish, [](double x) { return x / (1 + std::exp(-x)); }},
      {Op::kGelu, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }},
      {Op::kElu, [](double x) { return x > 0 ? x : std::expm1(x); }},
      {Op::kCelu, [](double x) { return x > 0 ? x : std::expm1(x); }},
      {Op::kSelu,
       [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }},
      {Op::kHardSwish, [](double x) { return x * std::fmax(0, std::fmin(1, x / 6 + 0.5)); }},
      {Op::kHardSigmoid, [](double x) { return std::fmax(0, std::fmin(1, 0.2 * x + 0.5)); }},
      {Op::kLeakyRelu, [](double x) { return x < 0 ? 0.01 * x : x; }},
      {Op::kThresholdedRelu, [](double x) { return x > 1 ? x : 0; }},
      {Op::kReciprocal, [](double x) { return 1 / x; }},
  };
  std::vector<float> xs;
  for (float x = -5.1F; x < 5.2F; x += 0.37F) {
    xs.push_back(x);
  }
  for (const Case& c : cases) {
    Tensor y = first(c.op, {floats({static_cast<std::int64_t>(xs.size())}, xs)});
    for (std::size_t i = 0; i < xs.size(); ++i) {
      double wanted = c.function(xs[i]);
      EXPECT_NEAR(y.data<float>()[i], wanted, 1e-6 * (1 + std::fabs(wanted)))
          << name_of(c.op) << " of " << xs[i];
    }
  }
}

TEST(Unary, FunctionsOfPartOfTheReals) {
  Tensor x = floats({3}, {0.25F, 0.5F, 1});
  expect_near(first(Op::kSqrt, {x}), {0.5F, std::sqrt(0.5F), 1});
  expect_near(first(Op::kLog, {x}), {std::log(0.25F), std::log(0.5F), 0});
  expect_near(first(Op::kAsin, {x}), {std::asin(0.25F), std::asin(0.5F), std::asin(1.0F)});
  expect_near(first(Op::kAcos, {x}), {std::acos(0.25F), std::acos(0.5F), 0});
  expect_near(first(Op::kAtanh, {floats({1}, {0.5F})}), {std::atanh(0.5F)});
  expect_near(first(Op::kAcosh, {floats({1}, {2})}), {std::acosh(2.0F)});
}

TEST(Unary, GeluKeepsItsDigitsFarOut) {
  float x = -8;
  double wanted = 0.5 * x * std::erfc(8 / std::sqrt(2.0));  // about -5e-15
  EXPECT_NEAR(first(Op::kGelu, {floats({}, {x})}).data<float>()[0] / wanted, 1, 1e-5);
  Attributes tanh{{"approximate", std::string("tanh")}};
  expect_near(first(Op::kGelu, {floats({2}, {1, -1})}, tanh), {0.841192F, -0.158808F});
  EXPECT_NE(refusal(Op::kGelu, {floats({}, {x})}, {{"approximate", std::string("fast")}}), "");
}

TEST(Unary, RoundsTiesToEven) {
  EXPECT_EQ(first(Op::kRound, {floats({5}, {-1.5F, -0.5F, 0.5F, 1.5F, 2.5F})}),
            floats({5}, {-2, -0.0F, 0, 2, 2}));
}

TEST(Unary, SignsOfAnyNumber) {
  EXPECT_EQ(first(Op::kSign, {longs({3}, {-5, 0, 7})}), longs({3}, {-1, 0, 1}));
  EXPECT_EQ(first(Op::kAbs, {tensor<std::int8_t>({3}, {-128, -1, 5})}),
            tensor<std::int8_t>({3}, {-128, 1, 5}));
  EXPECT_EQ(first(Op::kNeg, {tensor<std::int32_t>({1}, {std::numeric_limits<std::int32_t>::lowest()})}),
            tensor<std::int32_t>({1}, {std::numeric_limits<std::int32_t>::lowest()}));
  EXPECT_EQ(first(Op::kSign, {tensor<std::uint8_t>({2}, {0, 200})}), tensor<std::uint8_t>({2}, {0, 1}));
  EXPECT_TRUE(std::isnan(first(Op::kSign, {floats({}, {NAN})}).data<float>()[0]));
}

TEST(Unary, AttributesAreUsed) {
  Tensor x = floats({4}, {-2, -0.25F, 0.25F, 2});
  EXPECT_EQ(first(Op::kShrink, {x}, {{"lambd", 1.0F}, {"bias", 0.5F}}), floats({4}, {-1.5F, 0, 0, 1.5F}));
  EXPECT_EQ(first(Op::kShrink, {longs({3}, {-3, 0, 3})}, {{"lambd", 1.0F}, {"bias", 1.0F}}),
            longs({3}, {-2, 0, 2}));
  EXPECT_EQ(first(Op::kLeakyRelu, {x}, {{"alpha", 0.5F}}), floats({4}, {-1, -0.125F, 0.25F, 2}));
  EXPECT_EQ(first(Op::kThresholdedRelu, {x}, {{"alpha", 0.25F}}), floats({4}, {0, 0, 0, 2}));
  EXPECT_EQ(first(Op::kHardSigmoid, {x}, {{"alpha", 1.0F}, {"beta", 0.0F}}), floats({4}, {0, 0, 0.25F, 1}));
  expect_near(first(Op::kCelu, {x}, {{"alpha", 2.0F}}),
              {2 * std::expm1(-1.0F), 2 * std::expm1(-0.125F), 0.25F, 2});
}

TEST(Unary, NaNsComeThrough) {
  for (Op op :
       {Op::kHardSwish, Op::kHardSigmoid, Op::kLeakyRelu, Op::kElu, Op::kSigmoid, Op::kAbs, Op::kShrink}) {
    EXPECT_TRUE(std::isnan(first(op, {floats({}, {NAN})}).data<float>()[0])) << name_of(op);
  }
}

TEST(Unary, TellsNaNsAndInfinities) {
  Tensor x = floats({4}, {NAN, INFINITY, -INFINITY, 1});
  EXPECT_EQ(first(Op::kIsNaN, {x}), bools({4}, {1, 0, 0, 0}));
  EXPECT_EQ(first(Op::kIsInf, {x}), bools({4}, {0, 1, 1, 0}));
  EXPECT_EQ(first(Op::kIsInf, {x}, {{"detect_negative", std::int64_t{0}}}), bools({4}, {0, 1, 0, 0}));
  EXPECT_EQ(first(Op::kIsInf, {x}, {{"detect_positive", std::int64_t{0}}}), bools({4}, {0, 0, 1, 0}));
}

}  // namespace
}  // namespace zeropoint::operators
