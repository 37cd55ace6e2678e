#include "zeropoint/toolchain/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "zeropoint/toolchain/array_dataset.h"

namespace zeropoint::toolchain {
namespace {

/// Three-pixel images whose pixels a model may take as scores.
std::shared_ptr<const Dataset> pixels(std::vector<std::uint8_t> values, std::vector<std::int64_t> labels) {
  ByteImages images{{3, 1, 1}, std::move(values), std::move(labels), {"a", "b", "c"}, "pixels"};
  return *ImageDataset::make(std::move(images), Transform());
}

Model identity() {
  return [](std::span<const Tensor> inputs) -> Result<Tensor> { return inputs[0]; };
}

TEST(Evaluate, CountsByHand) {
  // Predictions: 2, 0, 1, and for the two equal scores the first, 0.
  auto data = pixels({1, 2, 3, 9, 0, 1, 0, 5, 4, 7, 0, 7}, {2, 1, 1, 2});
  EvaluationOptions options;
  options.batch_size = 3;
  options.top_k = 2;
  options.confusion = true;
  options.reference_predictions = {2, 1, 1, 1};
  Result<Evaluation> result = evaluate(identity(), data, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->count, 4);
  EXPECT_EQ(result->correct, 2);
  EXPECT_EQ(result->accuracy(), 0.5);
  EXPECT_EQ(result->predictions, (std::vector<std::int64_t>{2, 0, 1, 0}));
  EXPECT_EQ(result->top_k_correct, 3);  // the second sample's label has the lowest score
  EXPECT_EQ(result->agreeing, 2);
  EXPECT_EQ(result->confusion, (std::vector<std::vector<std::int64_t>>{{0, 0, 0}, {1, 1, 0}, {1, 0, 1}}));
  ASSERT_EQ(result->classes.size(), 3u);
  EXPECT_EQ(result->classes[1].name, "b");
  EXPECT_EQ(result->classes[1].count, 2);
  EXPECT_EQ(result->classes[1].correct, 1);
  EXPECT_EQ(result->classes[0].count, 0);
  auto cost = [](double own, double x, double y, double z) {
    return std::log(std::exp(x) + std::exp(y) + std::exp(z)) - own;
  };
  EXPECT_NEAR(result->mean_loss,
              (cost(3, 1, 2, 3) + cost(0, 9, 0, 1) + cost(5, 0, 5, 4) + cost(7, 7, 0, 7)) / 4, 1e-12);
}

TEST(Evaluate, LetsTheHookChangeTheInputs) {
  EvaluationOptions options;
  options.preprocess = [](std::span<Tensor> inputs) {
    for (float& x : inputs[0].data<float>()) {
      x = -x;
    }
    return Status();
  };
  auto data = pixels({1, 2, 3}, {0});
  EXPECT_EQ(evaluate(identity(), data)->correct, 0);
  EXPECT_EQ(evaluate(identity(), data, options)->correct, 1);
  EXPECT_EQ(evaluate(identity(), data, options)->top_k, 3);
}

TEST(Evaluate, ANanScoreIsNeverRight) {
  Model model = [](std::span<const Tensor> inputs) -> Result<Tensor> {
    Tensor scores(ElementType::kFloat32, {inputs[0].dim(0), 3});
    std::fill(scores.data<float>().begin(), scores.data<float>().end(),
              std::numeric_limits<float>::quiet_NaN());
    return scores;
  };
  EvaluationOptions options;
  options.top_k = 2;
  Result<Evaluation> result = evaluate(model, pixels({1, 2, 3}, {0}), options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->correct, 0);
  EXPECT_EQ(result->top_k_correct, 0);
  EXPECT_EQ(result->predictions[0], -1);
  EXPECT_TRUE(std::isnan(result->mean_loss));
}

TEST(Evaluate, SaysWhatDoesNotFit) {
  Model two = [](std::span<const Tensor> inputs) -> Result<Tensor> {
    return Tensor(ElementType::kFloat32, {inputs[0].dim(0), 2});
  };
  EXPECT_EQ(evaluate(two, pixels({1, 2, 3, 4, 5, 6}, {1, 2})).status().message(),
            "sample 1 has label 2; the model has 2 classes");
  Model one = [](std::span<const Tensor>) -> Result<Tensor> { return Tensor(ElementType::kFloat32, {1, 3}); };
  EXPECT_EQ(evaluate(one, pixels({1, 2, 3, 4, 5, 6}, {1, 2})).status().message(),
            "the model gives scores float32 [1, 3] for a batch of 2 samples");
  Model broken = [](std::span<const Tensor>) -> Result<Tensor> { return Status::io("gone"); };
  EXPECT_EQ(evaluate(broken, pixels({1, 2, 3}, {1})).status().message(), "gone");
  EvaluationOptions options;
  options.reference_predictions = {1, 2};
  EXPECT_EQ(evaluate(identity(), pixels({1, 2, 3}, {1}), options).status().message(),
            "there are 2 reference predictions for 1 labels");
}

TEST(Evaluate, AnOffsetLeavesOutABackgroundClass) {
  // Scores of the background, then of classes 0 and 1.
  auto data = pixels({9, 1, 2, 9, 4, 3}, {1, 1});
  EvaluationOptions options;
  options.label_offset = 1;
  Result<Evaluation> result = evaluate(identity(), data, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->predictions, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(result->correct, 1);
  EXPECT_EQ(result->classes.size(), 2U);
  // The other way round: labels count from 1.
  options.label_offset = -1;
  result = evaluate(identity(), data, options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->predictions, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(result->correct, 2);
  EXPECT_EQ(result->classes[0].name, "b");
  options.label_offset = -2;
  EXPECT_EQ(evaluate(identity(), data, options).status().message(),
            "sample 0 has label 1; the model has 3 classes at label offset -2");
  options.label_offset = 3;
  EXPECT_FALSE(evaluate(identity(), data, options).ok());
}

TEST(Evaluate, ProbabilitiesTakeNoSecondSoftmax) {
  auto data = pixels({0, 1, 0}, {1});
  EvaluationOptions options;
  EXPECT_NEAR(evaluate(identity(), data, options)->mean_loss, std::log(2 + std::exp(1)) - 1, 1e-12);
  options.scores_are_probabilities = true;
  EXPECT_EQ(evaluate(identity(), data, options)->mean_loss, 0);
}

/// Six tokens in windows of 3, 2 apart: targets 1 2 3, then (3) 4 5.
std::shared_ptr<const Dataset> text() {
  auto tokens = *array_in_memory("text", Tensor::of<std::int64_t>({6}, {0, 1, 2, 3, 4, 5}));
  return *token_dataset(tokens, {.window = 3, .stride = 2});
}

/// Of 8 tokens, guesses the one `ahead` numbers above the last.
Model guess(std::int64_t ahead) {
  return [ahead](std::span<const Tensor> inputs) -> Result<Tensor> {
    Tensor scores(ElementType::kFloat32, {inputs[0].dim(0), inputs[0].dim(1), 8});
    for (std::int64_t i = 0; i < inputs[0].size(); ++i) {
      std::int64_t token = inputs[0].data<std::int64_t>()[static_cast<std::size_t>(i)];
      scores.data<float>()[static_cast<std::size_t>(i * 8 + token + ahead)] = 1;
    }
    return scores;
  };
}

TEST(Evaluate, CountsEachTokenOfATextOnce) {
  Result<Evaluation> right = evaluate(guess(1), text());
  ASSERT_TRUE(right.ok()) << right.status().message();
  EXPECT_EQ(right->count, 5);
  EXPECT_EQ(right->correct, 5);
  EXPECT_EQ(right->predictions, (std::vector<std::int64_t>{1, 2, 3, -1, 4, 5}));
  EXPECT_NEAR(right->mean_loss, std::log(7 + std::exp(1)) - 1, 1e-12);
  Result<Evaluation> wrong = evaluate(guess(2), text());
  EXPECT_EQ(wrong->correct, 0);
  EXPECT_NEAR(wrong->mean_loss, std::log(7 + std::exp(1)), 1e-12);
  EvaluationOptions options;
  options.reference_predictions = right->predictions;
  EXPECT_EQ(evaluate(guess(1), text(), options)->agreeing, 5);
  // Scores without an axis of positions.
  EXPECT_NE(evaluate(identity(), text()).status().message().find("[samples, labels, classes] is needed"),
            std::string::npos);
}

TEST(Evaluate, TakesTheLabelsOfTheInputThatHasThem) {
  auto plain =
      *array_dataset(*array_in_memory("plain", Tensor::of<float>({3, 2}, {1, 0, 1, 0, 1, 0})), nullptr);
  auto labelled = *array_dataset(*array_in_memory("labelled", Tensor::of<float>({3, 2}, {0, 2, 0, 0, 0, 3})),
                                 *array_in_memory("labels", Tensor::of<std::int64_t>({3}, {1, 0, 0})));
  std::vector<std::shared_ptr<const Dataset>> inputs{std::move(plain), std::move(labelled)};
  Model sum = [](std::span<const Tensor> both) -> Result<Tensor> {
    Tensor scores = both[0];
    for (std::size_t i = 0; i < scores.data<float>().size(); ++i) {
      scores.data<float>()[i] += both[1].data<float>()[i];
    }
    return scores;
  };
  EvaluationOptions options;
  options.batch_size = 2;
  Result<Evaluation> result = evaluate(sum, inputs, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->predictions, (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(result->correct, 2);
  inputs[0] = pixels({1, 2, 3}, {0});
  EXPECT_NE(evaluate(sum, inputs, options).status().message().find("1 samples of one input and 3 of another"),
            std::string::npos);
}

}  // namespace
}  // namespace zeropoint::toolchain
