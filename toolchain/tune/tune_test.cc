#include "zeropoint/toolchain/tune.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quantize/plan_for_test.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/calibrate.h"

namespace zeropoint::toolchain {
namespace {

class Tune : public testing::Test {
 protected:
  Tune() : graph_(plans::network()) {
    constexpr std::int64_t kCount = 60;
    std::mt19937 random(11);
    std::uniform_real_distribution<float> uniform(-1, 1);
    Tensor values(ElementType::kFloat32, {kCount, 2, 4, 4});
    for (float& value : values.data<float>()) {
      value = uniform(random);
    }
    data_ = *array_dataset(*array_in_memory("x", std::move(values)), nullptr);
    options_.start.base = "static_w4a4";
    options_.start.activations.bits = 2;
    options_.start.weights.bits = 2;
    options_.start.protect = false;
    options_.max_drop = 0.05;
    options_.sensitivity_samples = 20;
    options_.subject = "a network";
    options_.measure.threads = 1;
    options_.save = [&](const std::string& state) {
      state_ = state;
      return Status();
    };
  }

  [[nodiscard]] Result<TuneResult> run() const {
    Evidence evidence;
    evidence.data = {data_};
    evidence.statistics = *gather_statistics(graph_, evidence.data);
    NetworkQuantizer quantizer(graph_, std::move(evidence));
    return tune(quantizer, graph_, std::span(&data_, 1), options_);
  }

  [[nodiscard]] TuneResult tuned() const {
    Result<TuneResult> result = run();
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *std::move(result) : TuneResult{};
  }

  Graph graph_;
  std::shared_ptr<const Dataset> data_;
  TuneOptions options_;
  std::string state_;
};

TEST_F(Tune, LeavesAloneWhatIsGoodEnough) {
  options_.start = Recipe();
  TuneResult result = tuned();
  EXPECT_TRUE(result.met);
  EXPECT_EQ(result.trials, 1);
  EXPECT_EQ(result.steps.size(), 1U);
  EXPECT_EQ(result.raised, std::vector<std::string>{});
  EXPECT_EQ(result.target, TuneTarget::kAgreement);
}

TEST_F(Tune, GivesLayersMoreBitsUntilTheTargetIsReached) {
  TuneResult result = tuned();
  ASSERT_FALSE(result.steps.empty());
  EXPECT_GT(result.steps[0].figures.drop, options_.max_drop);  // two bits are too few
  EXPECT_TRUE(result.met);
  EXPECT_LE(result.figures.drop, options_.max_drop);
  EXPECT_FALSE(result.raised.empty());
  EXPECT_GT(result.figures.bits, result.steps[0].figures.bits);
  EXPECT_GE(result.recipe.overrides.size(), result.raised.size());
  // What it says of the recipe is what the recipe gives.
  EXPECT_EQ(result.figures.bits, network_bits(result.network.improved, result.network.plan));
}

TEST_F(Tune, ASurerResultTakesNoFewerBits) {
  options_.max_drop = 0.1;
  options_.confidence = 0.5;
  TuneResult estimate = tuned();
  options_.confidence = 0.99;
  TuneResult sure = tuned();
  EXPECT_TRUE(estimate.met);
  EXPECT_EQ(estimate.drop_bound, estimate.figures.drop);
  EXPECT_TRUE(sure.met);
  EXPECT_LE(sure.drop_bound, options_.max_drop);
  EXPECT_LT(sure.figures.drop, estimate.figures.drop);
  EXPECT_GT(sure.figures.bits, estimate.figures.bits);
}

TEST_F(Tune, TakesBackWhatTheOthersCanDoWithout) {
  options_.confidence = 0.5;
  options_.max_drop = 0.035;
  options_.sensitivity_samples = 2;  // so few that the order of raises is a bad one
  TuneResult result = tuned();
  EXPECT_TRUE(result.met);
  std::size_t taken_back = 0;
  for (const TuneStep& step : result.steps) {
    if (step.kept && step.what.rfind("without ", 0) == 0) {
      ++taken_back;
      EXPECT_TRUE(step.met);
      EXPECT_EQ(std::count(result.raised.begin(), result.raised.end(), step.what.substr(8)), 0) << step.what;
    }
  }
  EXPECT_GT(taken_back, 0U);  // otherwise this test says nothing
  EXPECT_FALSE(result.raised.empty());
  EXPECT_EQ(result.figures.bits, network_bits(result.network.improved, result.network.plan));
}

TEST(DropBound, IsTheQuantileOfANormalVariableButNotBelowTheCount) {
  TuneFigures figures{.drop = 0.001, .expected_drop = 0.01, .standard_error = 0.002};
  EXPECT_NEAR(drop_bound(figures, 0.5), 0.01, 1e-9);
  EXPECT_NEAR(drop_bound(figures, 0.9), 0.01 + 1.2815515655 * 0.002, 1e-9);
  EXPECT_NEAR(drop_bound(figures, 0.975), 0.01 + 1.9599639845 * 0.002, 1e-9);
  figures.drop = 0.02;
  EXPECT_EQ(drop_bound(figures, 0.9), 0.02);
}

TEST_F(Tune, GoesOnFromWhereItWasStopped) {
  TuneResult whole = tuned();
  int asked = 0;
  options_.stop = [&] { return ++asked > 3; };
  Result<TuneResult> stopped = run();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.status().message(), "stopped after 3 trials");
  options_.stop = nullptr;
  options_.state = state_;
  int tried = 0;
  options_.on_trial = [&](const std::string&) { ++tried; };
  TuneResult rest = tuned();
  EXPECT_EQ(rest.known, 3);
  EXPECT_EQ(tried, whole.trials - 3);
  EXPECT_EQ(to_json(rest.recipe), to_json(whole.recipe));
  EXPECT_EQ(rest.figures.divergence, whole.figures.divergence);
  EXPECT_EQ(rest.raised, whole.raised);
  // All of it is known now.
  options_.state = state_;
  tried = 0;
  EXPECT_EQ(to_json(tuned().recipe), to_json(whole.recipe));
  EXPECT_EQ(tried, 0);
}

TEST_F(Tune, RefusesAStateThatIsNotItsOwn) {
  (void)tuned();
  options_.state = state_;
  options_.subject = "another network";
  Status status = run().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "it is the state of another search: \"a network\"; this one is \"another network\"");
  for (const char* text :
       {"{", "[]", "{\"format\": \"zeropoint plan\"}", "{\"format\": \"zeropoint tune\", \"version\": 1}",
        "{\"format\": \"zeropoint tune\", \"version\": 2, \"subject\": \"another network\", "
        "\"trials\": [{\"recipe\": 5}]}"}) {
    options_.state = text;
    EXPECT_EQ(run().status().code(), StatusCode::kCorrupt) << text;
  }
}

TEST_F(Tune, RefusesTargetsThatCannotBe) {
  options_.max_drop = -0.1;
  EXPECT_EQ(run().status().code(), StatusCode::kInvalidArgument);
  options_.max_drop = std::nan("");
  EXPECT_EQ(run().status().code(), StatusCode::kInvalidArgument);
  options_.max_drop = 0.1;
  for (double confidence : {0.49, 1.0, std::nan("")}) {
    options_.confidence = confidence;
    EXPECT_EQ(run().status().code(), StatusCode::kInvalidArgument) << confidence;
  }
}

TEST(NetworkBits, CountsConstantsAndTensorsOfOneSample) {
  Graph graph = plans::network();
  // input 32, c 32 and r 32 elements are of one sample [2, 4, 4] -> 3x3 kernel -> [2, 2, 2]: 8; p, f 2; y 3.
  double constants = 36 + 2 + 6 + 3;
  double tensors = 32 + 8 + 8 + 2 + 2 + 3;
  EXPECT_EQ(network_bits(graph, {}), 32 * (constants + tensors));
  QuantPlan plan = plans::plan_of();
  // 8 bits but for biases, which have 32, and c and y, which are not decided.
  EXPECT_EQ(network_bits(graph, plan), 8 * (36 + 6) + 32 * (2 + 3) + 8 * (32 + 8 + 2 + 2) + 32 * (8 + 3));
}

}  // namespace
}  // namespace zeropoint::toolchain
