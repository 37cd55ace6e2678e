#include <cmath>
#include <limits>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

Tensor reduced(Op op, const Tensor& x, std::vector<std::int64_t> axes, bool keepdims = false) {
  auto count = static_cast<std::int64_t>(axes.size());
  return first(op, {x, longs({count}, std::move(axes))}, {{"keepdims", std::int64_t{keepdims}}});
}

TEST(Reduce, OverAnyAxes) {
  Tensor x = floats({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  EXPECT_EQ(reduced(Op::kReduceSum, x, {1}), floats({2, 2}, {9, 12, 27, 30}));
  EXPECT_EQ(reduced(Op::kReduceSum, x, {-1}), floats({2, 3}, {3, 7, 11, 15, 19, 23}));
  EXPECT_EQ(reduced(Op::kReduceSum, x, {0, 2}, true), floats({1, 3, 1}, {18, 26, 34}));
  EXPECT_EQ(reduced(Op::kReduceMean, x, {0}), floats({3, 2}, {4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(reduced(Op::kReduceMax, x, {1, 2}), floats({2}, {6, 12}));
  EXPECT_EQ(reduced(Op::kReduceMin, x, {0, 1}), floats({2}, {1, 2}));
  EXPECT_EQ(reduced(Op::kReduceProd, floats({4}, {1, 2, 3, 4}), {}), floats({}, {24}));
  EXPECT_EQ(first(Op::kReduceSum, {x}), floats({1, 1, 1}, {78}));
  EXPECT_EQ(first(Op::kReduceSum, {floats({}, {5})}), floats({}, {5}));
  EXPECT_EQ(refusal(Op::kReduceSum, {x, longs({1}, {3})}), "axis 3 is outside of input [2, 3, 2]");
}

TEST(Reduce, Norms) {
  Tensor x = floats({2, 2}, {3, -4, 0, 2});
  EXPECT_EQ(reduced(Op::kReduceL1, x, {1}), floats({2}, {7, 2}));
  EXPECT_EQ(reduced(Op::kReduceL2, x, {1}), floats({2}, {5, 2}));
  EXPECT_EQ(reduced(Op::kReduceSumSquare, x, {1}), floats({2}, {25, 4}));
  expect_near(reduced(Op::kReduceLogSum, floats({2}, {1, 2}), {0}), {std::log(3.0F)});
  expect_near(reduced(Op::kReduceLogSumExp, floats({2, 2}, {1000, 1000, -1, 1}), {1}),
              {1000 + std::log(2.0F), std::log(std::exp(-1.0F) + std::exp(1.0F))}, 1e-4F);
}

TEST(Reduce, WithoutAxesItMayDoNothing) {
  Tensor x = floats({2}, {-1, 2});
  Attributes noop{{"noop_with_empty_axes", std::int64_t{1}}};
  EXPECT_EQ(first(Op::kReduceSum, {x}, noop), x);
  EXPECT_EQ(first(Op::kReduceSum, {x, longs({0}, {})}, noop), x);
  EXPECT_EQ(first(Op::kReduceSum, {x, longs({1}, {0})}, noop), floats({1}, {1}));
  EXPECT_EQ(first(Op::kReduceMean, {x}, noop), x);
  EXPECT_EQ(first(Op::kReduceLogSumExp, {x}, noop), x);
}

// What is done to each element is done all the same.
TEST(Reduce, OverNoAxesElementsStillChange) {
  Attributes noop{{"noop_with_empty_axes", std::int64_t{1}}};
  Tensor x = floats({2}, {-1, 2});
  EXPECT_EQ(first(Op::kReduceL1, {x}, noop), floats({2}, {1, 2}));
  EXPECT_EQ(first(Op::kReduceL2, {x}, noop), floats({2}, {1, 2}));
  EXPECT_EQ(first(Op::kReduceSumSquare, {x}, noop), floats({2}, {1, 4}));
  EXPECT_EQ(first(Op::kReduceSumSquare, {longs({2, 1}, {-3, 2})}, noop), longs({2, 1}, {9, 4}));
  expect_near(first(Op::kReduceLogSum, {floats({2}, {1, 2})}, noop), {0, 0.6931472F});
}

TEST(Reduce, IntegersAreExact) {
  std::int64_t large = (std::int64_t{1} << 60) + 1;
  EXPECT_EQ(reduced(Op::kReduceSum, longs({3}, {large, 1, 1}), {0}), longs({}, {large + 2}));
  EXPECT_EQ(reduced(Op::kReduceMax, longs({2}, {large, large + 1}), {0}), longs({}, {large + 1}));
  EXPECT_EQ(reduced(Op::kReduceMean, longs({2}, {3, 4}), {0}), longs({}, {3}));
  EXPECT_EQ(reduced(Op::kReduceMax, tensor<std::int8_t>({2}, {-5, -7}), {0}), tensor<std::int8_t>({}, {-5}));
  EXPECT_EQ(reduced(Op::kReduceL2, tensor<std::int32_t>({2}, {3, 4}), {0}), tensor<std::int32_t>({}, {5}));
  std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(reduced(Op::kReduceMin, tensor<std::uint64_t>({2}, {top, top - 1}), {0}),
            tensor<std::uint64_t>({}, {top - 1}));
  EXPECT_EQ(reduced(Op::kReduceMax, bools({2}, {0, 1}), {0}), bools({}, {1}));
  EXPECT_NE(refusal(Op::kReduceSum, {bools({2}, {0, 1})}), "");
}

TEST(Reduce, LongSumsKeepTheirDigits) {
  std::vector<float> tenths(1'000'000, 0.1F);
  Tensor x = floats({1000, 1000}, std::move(tenths));
  EXPECT_EQ(first(Op::kReduceSum, {x}, {{"keepdims", std::int64_t{0}}}), floats({}, {100000.0015F}));
}

TEST(Reduce, OfNothing) {
  Tensor nothing = floats({2, 0}, {});
  EXPECT_EQ(reduced(Op::kReduceSum, nothing, {1}), floats({2}, {0, 0}));
  EXPECT_EQ(reduced(Op::kReduceProd, nothing, {1}), floats({2}, {1, 1}));
  EXPECT_EQ(reduced(Op::kReduceMax, nothing, {1}), floats({2}, {-INFINITY, -INFINITY}));
  EXPECT_EQ(reduced(Op::kReduceMin, tensor<std::uint8_t>({0}, {}), {0}), tensor<std::uint8_t>({}, {255}));
  EXPECT_EQ(reduced(Op::kReduceSum, nothing, {0}), floats({0}, {}));
  EXPECT_TRUE(std::isnan(reduced(Op::kReduceMean, nothing, {1}).data<float>()[0]));
}

TEST(Reduce, NaNsWin) {
  Tensor x = floats({2, 5}, {1, NAN, 3, 4, 5, 1, 2, 3, 4, 5});
  EXPECT_TRUE(std::isnan(reduced(Op::kReduceMax, x, {1}).data<float>()[0]));
  EXPECT_TRUE(std::isnan(reduced(Op::kReduceMin, x, {0}).data<float>()[1]));
  EXPECT_EQ(reduced(Op::kReduceMin, x, {1}).data<float>()[1], 1);
}

TEST(Search, PlacesOfTheLargestAndSmallest) {
  Tensor x = floats({2, 3}, {1, 5, 5, 2, 0, 0});
  EXPECT_EQ(first(Op::kArgMax, {x}, {{"axis", std::int64_t{1}}}), longs({2, 1}, {1, 0}));
  EXPECT_EQ(first(Op::kArgMax, {x}, {{"axis", std::int64_t{1}}, {"select_last_index", std::int64_t{1}}}),
            longs({2, 1}, {2, 0}));
  EXPECT_EQ(first(Op::kArgMin, {x}, {{"axis", std::int64_t{-2}}, {"keepdims", std::int64_t{0}}}),
            longs({3}, {0, 1, 1}));
  EXPECT_EQ(first(Op::kArgMax, {floats({3}, {1, NAN, 2})}), longs({1}, {1}));
  EXPECT_NE(refusal(Op::kArgMax, {floats({2, 0}, {})}, {{"axis", std::int64_t{1}}}), "");
  EXPECT_EQ(first(Op::kArgMax, {floats({2, 0}, {})}), longs({1, 0}, {}));
}

TEST(Search, TheFirstK) {
  Tensor x = tensor<std::int32_t>({2, 4}, {3, 1, 4, 1, 5, 9, 2, 6});
  Result<std::vector<Tensor>> outputs = call(Op::kTopK, {x, longs({1}, {2})}, {}, 2);
  ASSERT_TRUE(outputs.ok());
  EXPECT_EQ((*outputs)[0], tensor<std::int32_t>({2, 2}, {4, 3, 9, 6}));
  EXPECT_EQ((*outputs)[1], longs({2, 2}, {2, 0, 1, 3}));
  outputs = call(Op::kTopK, {x, longs({1}, {2})}, {{"largest", std::int64_t{0}}}, 2);
  EXPECT_EQ((*outputs)[1], longs({2, 2}, {1, 3, 2, 0}));
  outputs = call(Op::kTopK, {x, longs({1}, {1})}, {{"axis", std::int64_t{0}}}, 2);
  EXPECT_EQ((*outputs)[0], tensor<std::int32_t>({1, 4}, {5, 9, 4, 6}));
  EXPECT_EQ(call(Op::kTopK, {x, longs({1}, {5})}, {}, 2).status().message(),
            "k must be one number of 0 to 4");
  EXPECT_TRUE(call(Op::kTopK, {x, longs({1}, {0})}, {}, 2).ok());
}

TEST(CumSum, ForwardsBackwardsAndWithoutItself) {
  Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor axis = tensor<std::int32_t>({}, {1});
  EXPECT_EQ(first(Op::kCumSum, {x, axis}), floats({2, 3}, {1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(first(Op::kCumSum, {x, longs({}, {0})}), floats({2, 3}, {1, 2, 3, 5, 7, 9}));
  EXPECT_EQ(first(Op::kCumSum, {x, axis}, {{"reverse", std::int64_t{1}}}),
            floats({2, 3}, {6, 5, 3, 15, 11, 6}));
  EXPECT_EQ(first(Op::kCumSum, {x, axis}, {{"exclusive", std::int64_t{1}}}),
            floats({2, 3}, {0, 1, 3, 0, 4, 9}));
  EXPECT_EQ(first(Op::kCumSum, {x, axis}, {{"exclusive", std::int64_t{1}}, {"reverse", std::int64_t{1}}}),
            floats({2, 3}, {5, 3, 0, 11, 6, 0}));
}

}  // namespace
}  // namespace zeropoint::operators
