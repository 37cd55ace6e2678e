#include "zeropoint/toolchain/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace zeropoint::toolchain {
namespace {

using Labels = std::vector<std::int64_t>;

TEST(SoftmaxCrossEntropy, EqualScoresCostTheLogarithmOfTheClasses) {
  Result<Loss> loss =
      softmax_cross_entropy(Tensor::of<float>({2, 4}, std::vector<float>(8, 3)), Labels{0, 3});
  ASSERT_TRUE(loss.ok());
  EXPECT_NEAR(loss->value, std::log(4), 1e-15);
  EXPECT_EQ(loss->gradient,
            Tensor::of<float>({2, 4}, {-0.375F, 0.125F, 0.125F, 0.125F, 0.125F, 0.125F, 0.125F, -0.375F}));
}

TEST(SoftmaxCrossEntropy, OddsOfThreeToOne) {
  auto log3 = static_cast<float>(std::log(3));
  Result<Loss> loss = softmax_cross_entropy(Tensor::of<float>({1, 2}, {log3, 0}), Labels{1});
  ASSERT_TRUE(loss.ok());
  EXPECT_NEAR(loss->value, std::log(4), 1e-7);
  EXPECT_NEAR(loss->gradient.data<float>()[0], 0.75, 1e-7);
  EXPECT_NEAR(loss->gradient.data<float>()[1], -0.75, 1e-7);
}

TEST(SoftmaxCrossEntropy, IsSafeForLargeScores) {
  Result<Loss> loss = softmax_cross_entropy(Tensor::of<float>({1, 3}, {3e38F, -3e38F, 0}), Labels{0});
  ASSERT_TRUE(loss.ok());
  EXPECT_EQ(loss->value, 0);
  EXPECT_EQ(loss->gradient, Tensor::of<float>({1, 3}, {0, 0, 0}));
  loss = softmax_cross_entropy(Tensor::of<float>({1, 2}, {1000, 0}), Labels{1});
  EXPECT_EQ(loss->value, 1000);
}

TEST(SoftmaxCrossEntropy, ANanStaysVisible) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Result<Loss> loss = softmax_cross_entropy(Tensor::of<float>({1, 3}, {0, bad, 1}), Labels{0});
    ASSERT_TRUE(loss.ok());
    EXPECT_FALSE(std::isfinite(loss->value));
  }
}

TEST(SoftmaxCrossEntropy, GradientIsTheSlope) {
  std::vector<float> scores = {0.5F, -1, 2, 0.25F, 0.75F, -0.5F};
  Result<Loss> loss = softmax_cross_entropy(Tensor::of<float>({2, 3}, scores), Labels{2, 0});
  ASSERT_TRUE(loss.ok());
  constexpr float kStep = 1.0F / 1024;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    std::vector<float> up = scores;
    std::vector<float> down = scores;
    up[i] += kStep;
    down[i] -= kStep;
    double slope = (softmax_cross_entropy(Tensor::of<float>({2, 3}, up), Labels{2, 0})->value -
                    softmax_cross_entropy(Tensor::of<float>({2, 3}, down), Labels{2, 0})->value) /
                   (2 * static_cast<double>(kStep));
    EXPECT_NEAR(loss->gradient.data<float>()[i], slope, 1e-6);
  }
}

TEST(SoftmaxCrossEntropy, RefusesWhatDoesNotFit) {
  Tensor scores(ElementType::kFloat32, {2, 3});
  EXPECT_EQ(softmax_cross_entropy(scores, Labels{0, 3}).status().message(),
            "sample 1 of the batch has label 3; the network has 3 classes");
  EXPECT_EQ(softmax_cross_entropy(scores, Labels{-1, 0}).status().message(),
            "sample 0 of the batch has label -1; the network has 3 classes");
  EXPECT_EQ(softmax_cross_entropy(scores, Labels{0}).status().message(),
            "there are 1 labels for scores [2, 3]");
  EXPECT_FALSE(softmax_cross_entropy(Tensor(ElementType::kInt8, {2, 3}), Labels{0, 0}).ok());
  EXPECT_FALSE(softmax_cross_entropy(Tensor(ElementType::kFloat32, {0, 3}), Labels{}).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
