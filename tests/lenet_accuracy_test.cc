// The figures that quantizing LeNet must reach on the 10,000 test images of MNIST.

#include <gtest/gtest.h>

#include "lenet_for_test.h"
#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/models.h"
#include "zeropoint/toolchain/profile.h"

namespace zeropoint::toolchain {
namespace {

class LeNetAccuracy : public LeNet {
 protected:
  [[nodiscard]] Evaluation evaluate_float() const {
    return expect_ok(evaluate(expect_ok(float_model(graph_)), test_));
  }

  [[nodiscard]] Evaluation evaluate_integer(const Recipe& recipe, RequantizeMode mode,
                                            std::vector<std::int64_t> reference) const {
    Program program = expect_ok(lower(quantized(recipe), mode)).program;
    EXPECT_TRUE(float_tensors_inside(program).empty());
    EvaluationOptions options;
    options.reference_predictions = std::move(reference);
    return expect_ok(
        evaluate(integer_model(std::make_shared<const Program>(std::move(program))), test_, options));
  }
};

Recipe recipe_of(int weight_bits, int activation_bits, bool per_channel) {
  Recipe recipe;
  recipe.weights.bits = weight_bits;
  recipe.activations.bits = activation_bits;
  recipe.per_channel = per_channel;
  return recipe;
}

TEST_F(LeNetAccuracy, FloatIsThePublishedFigure) {
  EXPECT_EQ(evaluate_float().correct, 9799);
  Profile counted = expect_ok(profile(graph_));
  EXPECT_EQ(counted.parameters, 44426);
  EXPECT_EQ(counted.multiply_adds, 281640);
  EXPECT_NEAR(static_cast<double>(counted.model_bytes(32)) / (1024 * 1024), 0.17, 0.005);
}

TEST_F(LeNetAccuracy, Int8KeepsItWithEitherRequantization) {
  std::vector<std::int64_t> reference = evaluate_float().predictions;
  for (RequantizeMode mode : {RequantizeMode::kFloat, RequantizeMode::kFixedPoint}) {
    for (Recipe::Output output : {Recipe::Output::kAccumulator, Recipe::Output::kQuantized}) {
      Recipe recipe;
      recipe.output = output;
      Evaluation result = evaluate_integer(recipe, mode, reference);
      EXPECT_GE(result.correct, 9795);
      EXPECT_GE(result.agreeing, 9985);
    }
  }
}

TEST_F(LeNetAccuracy, FewerBitsLoseWhatTheyMust) {
  EXPECT_GE(evaluate_integer(recipe_of(6, 8, true), RequantizeMode::kFloat, {}).correct, 9780);
  EXPECT_GE(evaluate_integer(recipe_of(4, 8, true), RequantizeMode::kFloat, {}).correct, 9740);
  EXPECT_GE(evaluate_integer(recipe_of(4, 4, true), RequantizeMode::kFloat, {}).correct, 9600);
}

TEST_F(LeNetAccuracy, OneScalePerTensorIsEnoughForEightBits) {
  EXPECT_GE(evaluate_integer(recipe_of(8, 8, false), RequantizeMode::kFloat, {}).correct, 9790);
}

}  // namespace
}  // namespace zeropoint::toolchain
