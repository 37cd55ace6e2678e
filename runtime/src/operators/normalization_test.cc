#include <cmath>

#include "operators/call_for_tests.h"
#include "zeropoint/half.h"

namespace zeropoint::operators {
namespace {

Attributes axis(std::int64_t value) { return {{"axis", value}}; }

TEST(Softmax, AlongAnyAxis) {
  float a = 1 / (1 + std::exp(1.0F));  // of 0 beside 1
  Tensor x = floats({2, 2}, {0, 1, 1, 0});
  expect_near(first(Op::kSoftmax, {x}), {a, 1 - a, 1 - a, a});
  expect_near(first(Op::kSoftmax, {x}, axis(0)), {a, 1 - a, 1 - a, a});
  expect_near(first(Op::kLogSoftmax, {x}, axis(-2)),
              {std::log(a), std::log(1 - a), std::log(1 - a), std::log(a)});
  expect_near(first(Op::kSoftmax, {floats({2}, {1000, 999})}), {1 - a, a});
  EXPECT_EQ(first(Op::kHardmax, {floats({2, 3}, {1, 3, 3, 2, 1, 0})}), floats({2, 3}, {0, 1, 0, 1, 0, 0}));
  EXPECT_EQ(first(Op::kSoftmax, {floats({2, 0}, {})}), floats({2, 0}, {}));
  EXPECT_EQ(refusal(Op::kSoftmax, {x}, axis(2)), "axis 2 is outside of input [2, 2]");
}

TEST(Normalization, BatchStatisticsComeFromTheInputs) {
  Tensor x = floats({1, 2, 2}, {1, 2, 3, 4});
  Inputs inputs{x, floats({2}, {2, 1}), floats({2}, {0.5F, 0}), floats({2}, {1, 3}), floats({2}, {4, 0.25F})};
  expect_near(first(Op::kBatchNormalization, inputs, {{"epsilon", 0.0F}}), {0.5F, 1.5F, 0, 2});
  EXPECT_NE(refusal(Op::kBatchNormalization, inputs, {{"training_mode", std::int64_t{1}}}), "");
  inputs[3] = floats({3}, {1, 1, 1});
  EXPECT_EQ(refusal(Op::kBatchNormalization, inputs), "input 3 of float32[3] does not fit input [1, 2, 2]");
}

TEST(Normalization, InstancesAndGroups) {
  Tensor x = floats({1, 2, 2}, {1, 3, 10, 30});
  Inputs inputs{x, floats({2}, {1, 2}), floats({2}, {0, 1})};
  expect_near(first(Op::kInstanceNormalization, inputs, {{"epsilon", 0.0F}}), {-1, 1, -1, 3});
  float mean = 11;
  float deviation = std::sqrt((100 + 64 + 1 + 361) / 4.0F);
  expect_near(first(Op::kGroupNormalization, inputs, {{"num_groups", std::int64_t{1}}, {"epsilon", 0.0F}}),
              {(1 - mean) / deviation, (3 - mean) / deviation, 2 * (10 - mean) / deviation + 1,
               2 * (30 - mean) / deviation + 1});
  EXPECT_EQ(refusal(Op::kGroupNormalization, inputs, {{"num_groups", std::int64_t{3}}}),
            "2 channels do not fall into 3 groups");
  EXPECT_NE(refusal(Op::kGroupNormalization, inputs, {{"num_groups", std::int64_t{0}}}), "");
}

TEST(Normalization, LayersGiveTheirStatistics) {
  Tensor x = floats({2, 2}, {1, 3, 5, 9});
  Result<std::vector<Tensor>> outputs =
      call(Op::kLayerNormalization, {x, floats({2}, {1, 2}), floats({1}, {1})}, {{"epsilon", 0.0F}}, 3);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  expect_near((*outputs)[0], {0, 3, 0, 3});
  EXPECT_EQ((*outputs)[1], floats({2, 1}, {2, 7}));
  EXPECT_EQ((*outputs)[2], floats({2, 1}, {1, 0.5F}));
  EXPECT_NE(refusal(Op::kLayerNormalization, {x, floats({3}, {1, 2, 3})}), "");
  Tensor halves = narrow(x, ElementType::kFloat16);
  Tensor one_half = narrow(floats({1}, {1}), ElementType::kFloat16);
  outputs = call(Op::kLayerNormalization, {halves, one_half}, {{"axis", std::int64_t{0}}}, 3);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ((*outputs)[0].type(), ElementType::kFloat16);
  EXPECT_EQ((*outputs)[1], floats({1, 1}, {4.5F}));
}

TEST(Normalization, RootMeanSquares) {
  Tensor x = floats({1, 2}, {3, 4});
  float rms = std::sqrt(12.5F);
  expect_near(first(Op::kRMSNormalization, {x, floats({2}, {1, 2})}, {{"epsilon", 0.0F}}),
              {3 / rms, 8 / rms});
}

TEST(Normalization, AcrossChannels) {
  // Sums over 3 channels around each: 1+4, 1+4+9, 4+9.
  Tensor x = floats({1, 3, 1}, {1, 2, 3});
  expect_near(first(Op::kLRN, {x}, {{"size", std::int64_t{3}}, {"alpha", 3.0F}, {"beta", 1.0F}}),
              {1 / 6.0F, 2 / 15.0F, 3 / 14.0F});
  // An even size reaches further behind than before.
  expect_near(first(Op::kLRN, {x}, {{"size", std::int64_t{2}}, {"alpha", 2.0F}, {"beta", 1.0F}}),
              {1 / 6.0F, 2 / 14.0F, 3 / 10.0F});
  EXPECT_NE(refusal(Op::kLRN, {x}), "");
}

TEST(Normalization, ToNormOne) {
  Tensor x = floats({2, 2}, {3, 4, 0, 0});
  expect_near(first(Op::kLpNormalization, {x}), {0.6F, 0.8F, 0, 0});
  expect_near(first(Op::kLpNormalization, {x}, {{"p", std::int64_t{1}}, {"axis", std::int64_t{0}}}),
              {1, 1, 0, 0});
  EXPECT_NE(refusal(Op::kLpNormalization, {x}, {{"p", std::int64_t{3}}}), "");
}

TEST(Normalization, ToMeanZeroAndVarianceOne) {
  Tensor x = floats({1, 2, 1, 2}, {1, 3, 10, 14});
  expect_near(first(Op::kMeanVarianceNormalization, {x}), {-1, 1, -1, 1});
  Attributes all{{"axes", std::vector<std::int64_t>{0, 1, 2, 3}}};
  EXPECT_NEAR(first(Op::kMeanVarianceNormalization, {x}, all).data<float>()[0], -6 / std::sqrt(27.5F), 1e-6);
}

}  // namespace
}  // namespace zeropoint::operators
