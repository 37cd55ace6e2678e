#include <cmath>
#include <limits>

#include "operators/call_for_tests.h"
#include "zeropoint/half.h"

namespace zeropoint::operators {
namespace {

TEST(Arithmetic, BroadcastsFromTheLastAxis) {
  Tensor x = floats({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(first(Op::kAdd, {x, floats({2}, {10, 20})}), floats({2, 2, 2}, {11, 22, 13, 24, 15, 26, 17, 28}));
  EXPECT_EQ(first(Op::kMul, {floats({2, 1, 1}, {1, -1}), x}),
            floats({2, 2, 2}, {1, 2, 3, 4, -5, -6, -7, -8}));
  EXPECT_EQ(first(Op::kSub, {x, floats({1, 2, 1}, {1, 2})}), floats({2, 2, 2}, {0, 1, 1, 2, 4, 5, 5, 6}));
  EXPECT_EQ(first(Op::kAdd, {floats({3, 1}, {1, 2, 3}), floats({1, 2}, {10, 20})}),
            floats({3, 2}, {11, 21, 12, 22, 13, 23}));
  EXPECT_EQ(first(Op::kAdd, {floats({}, {1}), floats({}, {2})}), floats({}, {3}));
  EXPECT_EQ(first(Op::kAdd, {floats({0, 3}, {}), floats({3}, {1, 2, 3})}), floats({0, 3}, {}));
  EXPECT_EQ(refusal(Op::kAdd, {floats({2}, {1, 2}), floats({3}, {1, 2, 3})}),
            "shapes [2] and [3] cannot be broadcast to each other");
  EXPECT_EQ(refusal(Op::kAdd, {floats({1}, {1}), longs({1}, {1})}),
            "its inputs must all be there and of one type");
}

TEST(Arithmetic, LongRowsWithARepeatedElement) {
  std::vector<float> row(1000);
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<float>(i);
  }
  Tensor sums = first(Op::kAdd, {floats({3, 1}, {0, 1000, 2000}), floats({1000}, row)});
  ASSERT_EQ(sums.shape(), (Shape{3, 1000}));
  for (std::size_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(sums.data<float>()[i], static_cast<float>(i));
  }
}

TEST(Arithmetic, IntegersWrapAroundAndDivideTowardsZero) {
  constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::lowest();
  using I32 = std::vector<std::int32_t>;
  auto i32 = [](I32 values) {
    return tensor<std::int32_t>({static_cast<std::int64_t>(values.size())}, values);
  };
  EXPECT_EQ(first(Op::kAdd, {i32({kLowest, 1}), i32({-1, 2})}), i32({-(kLowest + 1), 3}));
  EXPECT_EQ(first(Op::kDiv, {i32({-7, 7, kLowest}), i32({2, -2, -1})}), i32({-3, -3, kLowest}));
  EXPECT_EQ(first(Op::kMod, {i32({-7, 7, kLowest}), i32({3, -3, -1})}), i32({2, -2, 0}));
  EXPECT_EQ(first(Op::kMod, {i32({-7, 7}), i32({3, -3})}, {{"fmod", std::int64_t{1}}}), i32({-1, 1}));
  EXPECT_EQ(refusal(Op::kDiv, {i32({1}), i32({0})}), "it divides integers by zero");
  EXPECT_EQ(refusal(Op::kMod, {i32({1}), i32({0})}), "it divides integers by zero");
  Tensor large = tensor<std::uint16_t>({1}, {65535});
  EXPECT_EQ(first(Op::kMul, {large, large}), tensor<std::uint16_t>({1}, {1}));
}

TEST(Arithmetic, FloatsModuloNeedFmod) {
  Tensor a = floats({2}, {-4.3F, 5.5F});
  EXPECT_EQ(refusal(Op::kMod, {a, a}), "attribute fmod must be 1 for floating point");
  expect_near(first(Op::kMod, {a, floats({2}, {2, -3})}, {{"fmod", std::int64_t{1}}}), {-0.3F, 2.5F});
}

TEST(Arithmetic, MinAndMaxTakeAnyNumberAndPassNaNsOn) {
  Tensor a = floats({3}, {1, NAN, 3});
  Tensor b = floats({3}, {2, 0, NAN});
  Tensor largest = first(Op::kMax, {a, b, floats({}, {1.5F})});
  EXPECT_EQ(largest.data<float>()[0], 2);
  EXPECT_TRUE(std::isnan(largest.data<float>()[1]));
  EXPECT_TRUE(std::isnan(largest.data<float>()[2]));
  Tensor smallest = first(Op::kMin, {b, a});
  EXPECT_EQ(smallest.data<float>()[0], 1);
  EXPECT_TRUE(std::isnan(smallest.data<float>()[1]));
  EXPECT_TRUE(std::isnan(smallest.data<float>()[2]));
  EXPECT_EQ(first(Op::kMax, {a}).data<float>()[0], 1);
  EXPECT_EQ(first(Op::kMin, {tensor<std::uint8_t>({2}, {3, 200}), tensor<std::uint8_t>({1}, {100})}),
            tensor<std::uint8_t>({2}, {3, 100}));
}

TEST(Arithmetic, SumAndMeanBroadcastAllInputs) {
  Inputs inputs{floats({2, 1}, {1, 2}), floats({3}, {10, 20, 30}), floats({}, {100})};
  EXPECT_EQ(first(Op::kSum, inputs), floats({2, 3}, {111, 121, 131, 112, 122, 132}));
  EXPECT_EQ(first(Op::kMean, inputs),
            floats({2, 3}, {37, 121 / 3.0F, 131 / 3.0F, 112 / 3.0F, 122 / 3.0F, 44}));
}

TEST(Arithmetic, PReluKeepsTheShapeOfItsInput) {
  Tensor x = floats({1, 2, 2}, {-1, 1, -2, 2});
  EXPECT_EQ(first(Op::kPRelu, {x, floats({2, 1}, {0.5F, 0.25F})}), floats({1, 2, 2}, {-0.5F, 1, -0.5F, 2}));
  EXPECT_EQ(refusal(Op::kPRelu, {x, floats({3, 1, 1, 1}, {1, 2, 3})}),
            "slopes [3, 1, 1, 1] do not fit input [1, 2, 2]");
}

TEST(Arithmetic, HalvesAreComputedInFloat32) {
  Tensor x = narrow(floats({2}, {1.5F, 60000}), ElementType::kFloat16);
  Tensor sum = first(Op::kAdd, {x, x});
  EXPECT_EQ(sum.type(), ElementType::kFloat16);
  EXPECT_EQ(widen(sum), floats({2}, {3, INFINITY}));
}

TEST(Arithmetic, PowerOfAnyTypes) {
  EXPECT_EQ(first(Op::kPow, {floats({3}, {1, 2, 3}), floats({}, {2})}), floats({3}, {1, 4, 9}));
  EXPECT_EQ(first(Op::kPow, {floats({3}, {1, 2, 3}), longs({3}, {0, -1, 3})}), floats({3}, {1, 0.5F, 27}));
  EXPECT_EQ(first(Op::kPow, {longs({4}, {2, -3, 0, 1}), longs({4}, {62, 3, 0, -5})}),
            longs({4}, {std::int64_t{1} << 62, -27, 1, 1}));
  EXPECT_EQ(first(Op::kPow, {longs({2}, {4, -9}), floats({2}, {0.5F, 2})}), longs({2}, {2, 81}));
  EXPECT_NE(refusal(Op::kPow, {bools({1}, {1}), longs({1}, {1})}), "");
}

TEST(Arithmetic, BitsAndShifts) {
  Tensor a = tensor<std::uint8_t>({3}, {1, 0x81, 0xff});
  Attributes left{{"direction", std::string("LEFT")}};
  Attributes right{{"direction", std::string("RIGHT")}};
  Tensor by = tensor<std::uint8_t>({3}, {7, 1, 8});
  EXPECT_EQ(first(Op::kBitShift, {a, by}, left), tensor<std::uint8_t>({3}, {0x80, 2, 0}));
  EXPECT_EQ(first(Op::kBitShift, {a, by}, right), tensor<std::uint8_t>({3}, {0, 0x40, 0}));
  Tensor wide = tensor<std::uint64_t>({1}, {1});
  EXPECT_EQ(first(Op::kBitShift, {wide, tensor<std::uint64_t>({1}, {64})}, left),
            tensor<std::uint64_t>({1}, {0}));
  EXPECT_NE(refusal(Op::kBitShift, {longs({1}, {1}), longs({1}, {1})}, left), "");
  EXPECT_NE(refusal(Op::kBitShift, {a, a}), "");
  EXPECT_EQ(first(Op::kBitwiseAnd, {longs({2}, {-1, 6}), longs({}, {3})}), longs({2}, {3, 2}));
  EXPECT_EQ(first(Op::kBitwiseOr, {longs({1}, {5}), longs({1}, {2})}), longs({1}, {7}));
  EXPECT_EQ(first(Op::kBitwiseXor, {longs({1}, {5}), longs({1}, {1})}), longs({1}, {4}));
  EXPECT_EQ(first(Op::kBitwiseNot, {tensor<std::int8_t>({2}, {0, -128})}),
            tensor<std::int8_t>({2}, {-1, 127}));
}

TEST(Arithmetic, ComparisonsGiveBool) {
  Tensor a = floats({4}, {1, 2, NAN, INFINITY});
  Tensor b = floats({4}, {2, 2, NAN, INFINITY});
  EXPECT_EQ(first(Op::kLess, {a, b}), bools({4}, {1, 0, 0, 0}));
  EXPECT_EQ(first(Op::kLessOrEqual, {a, b}), bools({4}, {1, 1, 0, 1}));
  EXPECT_EQ(first(Op::kGreater, {b, a}), bools({4}, {1, 0, 0, 0}));
  EXPECT_EQ(first(Op::kGreaterOrEqual, {a, b}), bools({4}, {0, 1, 0, 1}));
  EXPECT_EQ(first(Op::kEqual, {a, b}), bools({4}, {0, 1, 0, 1}));
  Tensor p = bools({4}, {0, 0, 1, 1});
  Tensor q = bools({4}, {0, 1, 0, 1});
  EXPECT_EQ(first(Op::kAnd, {p, q}), bools({4}, {0, 0, 0, 1}));
  EXPECT_EQ(first(Op::kOr, {p, q}), bools({4}, {0, 1, 1, 1}));
  EXPECT_EQ(first(Op::kXor, {p, q}), bools({4}, {0, 1, 1, 0}));
  EXPECT_EQ(first(Op::kEqual, {p, q}), bools({4}, {1, 0, 0, 1}));
  EXPECT_EQ(first(Op::kNot, {p}), bools({4}, {1, 1, 0, 0}));
  EXPECT_NE(refusal(Op::kAnd, {a, b}), "");
}

TEST(Arithmetic, WherePicksElementsOfAnyType) {
  Tensor condition = bools({2, 1}, {1, 0});
  EXPECT_EQ(first(Op::kWhere, {condition, longs({2}, {1, 2}), longs({}, {9})}), longs({2, 2}, {1, 2, 9, 9}));
  Tensor halves(ElementType::kFloat16, {2});
  halves.bytes()[0] = std::byte{1};  // the smallest denormal comes through
  EXPECT_EQ(first(Op::kWhere, {bools({}, {1}), halves, halves}), halves);
  EXPECT_NE(refusal(Op::kWhere, {condition, longs({}, {1}), floats({}, {1})}), "");
}

}  // namespace
}  // namespace zeropoint::operators
