#include "zeropoint/toolchain/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/state_dict.h"
#include "zeropoint/toolchain/synthetic_digits.h"

namespace zeropoint::toolchain {
namespace {

class Trainer : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() / (std::string("zeropoint_trainer_") + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.epochs = 4;
    options_.batch_size = 48;  // leaves a last batch of 8
    options_.learning_rate = 0.02;
    options_.threads = 1;
    options_.seed = 3;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name) const { return folder_ / name; }

  Result<TrainingResult> run() { return run(options_); }
  Result<TrainingResult> run(const TrainerOptions& options) {
    std::unique_ptr<Optimizer> optimizer = *make_sgd({.momentum = 0.9});
    return train(graph_, data_, validation_, *optimizer, options);
  }

  std::filesystem::path folder_;
  Graph graph_ = *make_architecture("lenet", {.seed = 1});
  std::shared_ptr<const Dataset> data_ = *make_synthetic_digits(200, 1);
  std::shared_ptr<const Dataset> validation_ = *make_synthetic_digits(60, 2);
  TrainerOptions options_;
};

TEST_F(Trainer, LearnsDigits) {
  data_ = *make_synthetic_digits(1000, 1);
  Result<TrainingResult> result = run();
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(result->epochs.size(), 4u);
  EXPECT_GT(result->best_accuracy, 0.8);
  EXPECT_LT(result->epochs.back().training.mean_loss, result->epochs.front().training.mean_loss / 2);
  EXPECT_EQ(result->best_accuracy,
            result->epochs[static_cast<std::size_t>(result->best_epoch) - 1].validation->accuracy());
}

TEST_F(Trainer, GivesTheSameBitsForTheSameSeedAndThreads) {
  options_.epochs = 2;
  for (int threads : {1, 2}) {
    options_.threads = threads;
    Result<TrainingResult> first = run();
    Result<TrainingResult> second = run();
    ASSERT_TRUE(first.ok()) << first.status().message();
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(parameters_of(first->last).tensors, parameters_of(second->last).tensors);
    options_.seed += 1;
    EXPECT_NE(parameters_of(run()->last).tensors, parameters_of(first->last).tensors);
  }
}

TEST_F(Trainer, AResumedRunEqualsAnUninterruptedOneBitForBit) {
  for (const char* text : {"constant", "cosine:per=step", "onecycle:max=0.05"}) {
    options_.schedule = *parse_schedule(text);
    options_.last_checkpoint = file("last.pt");
    Result<TrainingResult> straight = run();
    ASSERT_TRUE(straight.ok()) << straight.status().message();

    TrainerOptions interrupted = options_;
    interrupted.last_checkpoint = file("half.pt");
    interrupted.on_epoch_end = [](const EpochReport& report) {
      return report.training.epoch == 2 ? Proceed::kStop : Proceed::kContinue;
    };
    Result<TrainingResult> half = run(interrupted);
    ASSERT_TRUE(half.ok()) << half.status().message();
    EXPECT_TRUE(half->stopped);
    EXPECT_EQ(half->epochs.size(), 2u);

    TrainerOptions resumed = options_;
    resumed.resume = file("half.pt");
    resumed.last_checkpoint = file("resumed.pt");
    Result<TrainingResult> rest = run(resumed);
    ASSERT_TRUE(rest.ok()) << rest.status().message();
    EXPECT_EQ(rest->epochs.size(), 2u);
    EXPECT_EQ(rest->epochs.front().training.epoch, 3);
    EXPECT_EQ(rest->epochs.back().training.learning_rate, straight->epochs.back().training.learning_rate);
    EXPECT_EQ(parameters_of(rest->last).tensors, parameters_of(straight->last).tensors);
    EXPECT_EQ(parameters_of(rest->best).tensors, parameters_of(straight->best).tensors);
    EXPECT_EQ(rest->best_epoch, straight->best_epoch);
    EXPECT_EQ(rest->best_accuracy, straight->best_accuracy);
    EXPECT_TRUE(*read_checkpoint(file("resumed.pt")) == *read_checkpoint(file("last.pt")));
  }
}

TEST_F(Trainer, WritesTheBestWeightsWhereReadStateDictFindsThem) {
  options_.best_checkpoint = file("best.pt");
  options_.last_checkpoint = file("last.pt");
  Result<TrainingResult> result = run();
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(read_state_dict(file("best.pt"))->tensors, parameters_of(result->best).tensors);
  EXPECT_EQ(read_state_dict(file("last.pt"))->tensors, parameters_of(result->last).tensors);
}

TEST_F(Trainer, FollowsItsScheduleAndReports) {
  options_.epochs = 3;
  options_.schedule = *parse_schedule("step:size=1,gamma=0.5");
  std::vector<double> rates;
  std::int64_t samples = 0;
  options_.on_step = [&](const StepReport& report) {
    rates.push_back(report.learning_rate);
    samples = report.samples;
    EXPECT_EQ(report.steps, 5);
    EXPECT_EQ(report.epochs, 3);
    EXPECT_GE(report.mean_loss, 0);
    return Proceed::kContinue;
  };
  ASSERT_TRUE(run().ok());
  ASSERT_EQ(rates.size(), 15u);
  EXPECT_EQ(samples, 200);
  EXPECT_EQ(rates[0], 0.02);
  EXPECT_EQ(rates[4], 0.02);
  EXPECT_EQ(rates[5], 0.01);
  EXPECT_EQ(rates[14], 0.005);

  rates.clear();
  options_.schedule =
      lambda_schedule([](std::int64_t t) { return t < 2 ? 1.0 : 0.25; }, Schedule::Unit::kStep);
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(rates[1], 0.02);
  EXPECT_EQ(rates[2], 0.005);
}

TEST_F(Trainer, StopsInTheMiddleOfAnEpoch) {
  options_.on_step = [](const StepReport& report) {
    return report.epoch == 2 && report.step == 3 ? Proceed::kStop : Proceed::kContinue;
  };
  Result<TrainingResult> result = run();
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->stopped);
  EXPECT_EQ(result->epochs.size(), 1u);
  EXPECT_NE(parameters_of(result->last).tensors, parameters_of(result->best).tensors);
}

TEST_F(Trainer, WithoutValidationTheBestIsThatOfTheTraining) {
  validation_ = nullptr;
  Result<TrainingResult> result = run();
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_FALSE(result->epochs[0].validation.has_value());
  EXPECT_EQ(result->best_accuracy,
            result->epochs[static_cast<std::size_t>(result->best_epoch) - 1].training.accuracy);
}

TEST_F(Trainer, NamesTheStepAtWhichTheLossIsLost) {
  options_.learning_rate = 1e30;
  std::string message = run().status().message();
  EXPECT_EQ(message.substr(0, 9), "epoch 1, ") << message;
  EXPECT_NE(message.find("step "), std::string::npos) << message;
  EXPECT_NE(message.find("the loss is "), std::string::npos) << message;
}

TEST_F(Trainer, RefusesToResumeWhatDoesNotFit) {
  options_.epochs = 1;
  options_.last_checkpoint = file("last.pt");
  ASSERT_TRUE(run().ok());
  options_.last_checkpoint.clear();
  options_.resume = file("last.pt");
  EXPECT_NE(run().status().message().find("1 of 1 epochs are done already"), std::string::npos);
  options_.epochs = 2;
  options_.batch_size = 32;
  EXPECT_EQ(run().status().message(),
            file("last.pt") + ": the batch size was 48 and now is 32; a resumed training must keep it");
  options_.batch_size = 48;
  std::unique_ptr<Optimizer> adam = *make_adam({});
  EXPECT_NE(
      train(graph_, data_, validation_, *adam, options_).status().message().find("the optimizer was sgd:"),
      std::string::npos);
  ASSERT_TRUE(write_state_dict(file("plain.pt"), parameters_of(graph_)).ok());
  options_.resume = file("plain.pt");
  EXPECT_EQ(run().status().message(),
            file("plain.pt") +
                ": no 'model' as a checkpoint of a training has it; only such can be "
                "resumed");
  options_.resume = file("absent.pt");
  EXPECT_EQ(run().status().code(), StatusCode::kNotFound);
}

TEST_F(Trainer, RefusesImpossibleOptions) {
  options_.epochs = 0;
  EXPECT_FALSE(run().ok());
  options_.epochs = 1;
  options_.threads = 1 << 30;
  EXPECT_EQ(run().status().message(), "the number of threads is 1073741824; 0 (all) to 1024 is needed");
  options_.threads = 1;
  options_.learning_rate = std::nan("");
  EXPECT_FALSE(run().ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
