#include <cmath>
#include <limits>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

TEST(Generators, Constants) {
  EXPECT_EQ(first(Op::kConstant, {}, {{"value", std::make_shared<const Tensor>(longs({2}, {1, 2}))}}),
            longs({2}, {1, 2}));
  EXPECT_EQ(first(Op::kConstant, {}, {{"value_float", 1.5F}}), floats({}, {1.5F}));
  EXPECT_EQ(first(Op::kConstant, {}, {{"value_ints", std::vector<std::int64_t>{3, 4}}}), longs({2}, {3, 4}));
  EXPECT_EQ(refusal(Op::kConstant, {}), "it has no value");
}

TEST(Generators, ConstantsOfShape) {
  EXPECT_EQ(first(Op::kConstantOfShape, {longs({2}, {1, 3})}), floats({1, 3}, {0, 0, 0}));
  Attributes seven{{"value", std::make_shared<const Tensor>(tensor<std::int8_t>({1}, {7}))}};
  EXPECT_EQ(first(Op::kConstantOfShape, {longs({1}, {2})}, seven), tensor<std::int8_t>({2}, {7, 7}));
  EXPECT_EQ(first(Op::kConstantOfShape, {longs({0}, {})}, seven), tensor<std::int8_t>({}, {7}));
  EXPECT_NE(refusal(Op::kConstantOfShape, {longs({1}, {-1})}), "");
  Result<std::vector<Tensor>> huge = call(Op::kConstantOfShape, {longs({2}, {1 << 20, 1 << 20})});
  EXPECT_EQ(huge.status().code(), StatusCode::kResourceExhausted);
}

TEST(Generators, Ranges) {
  EXPECT_EQ(first(Op::kRange, {longs({}, {1}), longs({}, {7}), longs({}, {3})}), longs({2}, {1, 4}));
  EXPECT_EQ(first(Op::kRange, {longs({}, {3}), longs({}, {-3}), longs({}, {-2})}), longs({3}, {3, 1, -1}));
  EXPECT_EQ(first(Op::kRange, {longs({}, {3}), longs({}, {1}), longs({}, {2})}), longs({0}, {}));
  expect_near(first(Op::kRange, {floats({}, {0}), floats({}, {1}), floats({}, {0.3F})}),
              {0, 0.3F, 0.6F, 0.9F});
  EXPECT_EQ(refusal(Op::kRange, {longs({}, {0}), longs({}, {1}), longs({}, {0})}), "its step must not be 0");
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::lowest();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(first(Op::kRange, {longs({}, {kLowest}), longs({}, {kMost}), longs({}, {kMost})}),
            longs({3}, {kLowest, -1, kMost - 1}));
  EXPECT_NE(refusal(Op::kRange, {longs({}, {kLowest}), longs({}, {kMost}), longs({}, {1})}), "");
  EXPECT_NE(refusal(Op::kRange, {floats({}, {0}), floats({}, {INFINITY}), floats({}, {1})}), "");
}

TEST(Generators, Diagonals) {
  Tensor x(ElementType::kFloat32, {2, 3});
  EXPECT_EQ(first(Op::kEyeLike, {x}), floats({2, 3}, {1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(first(Op::kEyeLike, {x}, {{"k", std::int64_t{2}}, {"dtype", std::int64_t{7}}}),
            longs({2, 3}, {0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(first(Op::kEyeLike, {x}, {{"k", std::int64_t{-1}}}), floats({2, 3}, {0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(first(Op::kEyeLike, {x}, {{"k", std::numeric_limits<std::int64_t>::lowest()}}), x);
}

TEST(Generators, OneHots) {
  Tensor indices = longs({2}, {1, -1});
  Tensor off_on = floats({2}, {0, 5});
  EXPECT_EQ(first(Op::kOneHot, {indices, longs({}, {3}), off_on}), floats({2, 3}, {0, 5, 0, 0, 0, 5}));
  EXPECT_EQ(first(Op::kOneHot, {indices, longs({1}, {3}), off_on}, {{"axis", std::int64_t{0}}}),
            floats({3, 2}, {0, 0, 5, 0, 0, 5}));
  EXPECT_EQ(first(Op::kOneHot, {longs({1}, {4}), longs({}, {3}), off_on}), floats({1, 3}, {0, 0, 0}));
  EXPECT_NE(refusal(Op::kOneHot, {indices, longs({}, {-3}), off_on}), "");
}

TEST(Generators, WhatIsKnownOfATensor) {
  Tensor x = floats({2, 1, 3}, {0, 1, 0, 0, 0, NAN});
  EXPECT_EQ(first(Op::kShape, {x}), longs({3}, {2, 1, 3}));
  EXPECT_EQ(first(Op::kShape, {x}, {{"start", std::int64_t{-2}}, {"end", std::int64_t{-1}}}),
            longs({1}, {1}));
  EXPECT_EQ(first(Op::kShape, {x}, {{"start", std::int64_t{2}}, {"end", std::int64_t{1}}}), longs({0}, {}));
  EXPECT_EQ(first(Op::kSize, {x}), longs({}, {6}));
  EXPECT_EQ(first(Op::kNonZero, {x}), longs({3, 2}, {0, 1, 0, 0, 1, 2}));
  EXPECT_EQ(first(Op::kNonZero, {longs({}, {3})}), longs({0, 1}, {}));
  EXPECT_EQ(first(Op::kNonZero, {bools({4}, {7, 0, 255, 1})}), longs({1, 3}, {0, 2, 3}));
}

TEST(Generators, DropoutDropsNothing) {
  Tensor x = floats({2}, {1, 2});
  Result<std::vector<Tensor>> outputs = call(Op::kDropout, {x, floats({}, {0.5F})}, {}, 2);
  ASSERT_TRUE(outputs.ok());
  EXPECT_EQ((*outputs)[0], x);
  EXPECT_EQ((*outputs)[1], bools({2}, {1, 1}));
  EXPECT_NE(refusal(Op::kDropout, {x, std::nullopt, bools({}, {1})}), "");
  EXPECT_EQ(first(Op::kDropout, {x, floats({}, {0}), bools({}, {1})}), x);
}

}  // namespace
}  // namespace zeropoint::operators
