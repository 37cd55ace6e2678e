#include <cmath>
#include <cstring>
#include <limits>

#include "operators/call_for_tests.h"
#include "zeropoint/half.h"

namespace zeropoint::operators {
namespace {

Tensor cast_to(ElementType type, const Tensor& x) {
  return first(Op::kCast, {x}, {{"to", static_cast<std::int64_t>(type)}});
}

TEST(Cast, RealsRoundTowardsZeroAndSaturate) {
  Tensor x = floats({8}, {-1.9F, 1.9F, 300, -300, NAN, INFINITY, -INFINITY, 127.5F});
  EXPECT_EQ(cast_to(ElementType::kInt8, x), tensor<std::int8_t>({8}, {-1, 1, 127, -128, 0, 127, -128, 127}));
  EXPECT_EQ(cast_to(ElementType::kUint8, x), tensor<std::uint8_t>({8}, {0, 1, 255, 0, 0, 255, 0, 127}));
  EXPECT_EQ(
      cast_to(ElementType::kInt64, floats({2}, {1e30F, -1e30F})),
      longs({2}, {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::lowest()}));
  EXPECT_EQ(cast_to(ElementType::kUint64, floats({1}, {0x1p64F})),
            tensor<std::uint64_t>({1}, {std::numeric_limits<std::uint64_t>::max()}));
}

TEST(Cast, IntegersLoseTheirHigherBits) {
  EXPECT_EQ(cast_to(ElementType::kInt8, longs({3}, {200, -129, 256})),
            tensor<std::int8_t>({3}, {-56, 127, 0}));
  EXPECT_EQ(cast_to(ElementType::kUint64, longs({1}, {-1})),
            tensor<std::uint64_t>({1}, {std::numeric_limits<std::uint64_t>::max()}));
  EXPECT_EQ(cast_to(ElementType::kFloat32, longs({2}, {-3, (1 << 24) + 1})), floats({2}, {-3, 1 << 24}));
  EXPECT_EQ(cast_to(ElementType::kFloat64, tensor<std::uint64_t>({1}, {std::uint64_t{1} << 63})),
            tensor<double>({1}, {0x1p63}));
}

TEST(Cast, BoolIsWhetherItIsNotZero) {
  EXPECT_EQ(cast_to(ElementType::kBool, floats({4}, {0, -0.0F, 0.5F, NAN})), bools({4}, {0, 0, 1, 1}));
  EXPECT_EQ(cast_to(ElementType::kBool, longs({2}, {0, 256})), bools({2}, {0, 1}));
  EXPECT_EQ(cast_to(ElementType::kFloat32, bools({2}, {0, 1})), floats({2}, {0, 1}));
}

TEST(Cast, HalvesAreRoundedOnce) {
  // 1 + 2^-11 is the tie between two binary16 numbers; a little more must go up, though float32 cannot tell.
  Tensor above_tie = tensor<double>({2}, {1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-11});
  Tensor half = cast_to(ElementType::kFloat16, above_tie);
  EXPECT_EQ(widen(half), floats({2}, {1 + 0x1p-10F, 1}));
  EXPECT_EQ(widen(cast_to(ElementType::kFloat16, floats({2}, {1e6F, -1e6F}))),
            floats({2}, {INFINITY, -INFINITY}));
  EXPECT_EQ(widen(cast_to(ElementType::kBFloat16, longs({1}, {257}))), floats({1}, {256}));
  EXPECT_EQ(cast_to(ElementType::kInt32, half), tensor<std::int32_t>({2}, {1, 1}));
  EXPECT_EQ(cast_to(ElementType::kFloat16, half), half);
}

TEST(Cast, FourBitsSaturateFromRealsAndWrapFromIntegers) {
  Tensor x = floats({6}, {-9, -1.5F, 2.5F, 7.4F, 100, NAN});
  Tensor int4 = cast_to(ElementType::kInt4, x);
  EXPECT_EQ(int4.type(), ElementType::kInt4);
  EXPECT_EQ(values_of<std::int8_t>(int4), (std::vector<std::int8_t>{-8, -2, 2, 7, 7, 0}));
  EXPECT_EQ(values_of<std::uint8_t>(cast_to(ElementType::kUint4, x)),
            (std::vector<std::uint8_t>{0, 0, 2, 7, 15, 0}));
  EXPECT_EQ(values_of<std::int8_t>(cast_to(ElementType::kInt4, longs({2}, {8, 23}))),
            (std::vector<std::int8_t>{-8, 7}));
  EXPECT_EQ(cast_to(ElementType::kFloat32, int4), floats({6}, {-8, -2, 2, 7, 7, 0}));
}

TEST(Cast, ToTheTypeOfAnother) {
  EXPECT_EQ(first(Op::kCastLike, {floats({2}, {1.5F, -2}), longs({}, {0})}), longs({2}, {1, -2}));
  EXPECT_EQ(refusal(Op::kCast, {floats({1}, {1})}, {{"to", std::int64_t{8}}}),
            "attribute to is 8, which is no element type here");
  EXPECT_NE(refusal(Op::kCast, {floats({1}, {1})}, {{"to", std::int64_t{-1}}}), "");
}

}  // namespace
}  // namespace zeropoint::operators
