#include "zeropoint/toolchain/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace zeropoint::toolchain {
namespace {

/// The expected rates are those of PyTorch 1.13's schedulers for the same settings, printed with 10 digits.
void expect_rates(const Schedule& schedule, double base, std::int64_t total,
                  const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(schedule.rate(base, static_cast<std::int64_t>(i), total), expected[i], 1e-10)
        << "position " << i;
  }
}

TEST(Schedule, FollowsPyTorch) {
  expect_rates(step_schedule(2, 0.5, Schedule::Unit::kEpoch), 0.1, 7,
               {0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125});
  expect_rates(cosine_schedule(0.01, 0, Schedule::Unit::kEpoch), 0.1, 10,
               {0.1, 0.09779754323, 0.09140576475, 0.08145033635, 0.06890576475, 0.055, 0.04109423525,
                0.02854966365, 0.01859423525, 0.01220245677, 0.01});
  expect_rates(one_cycle_schedule({.peak = 0.1}, Schedule::Unit::kStep), 7, 10,
               {0.004, 0.052, 0.1, 0.0950484632, 0.08117456539, 0.06112620219, 0.03887419781, 0.01882583461,
                0.004951936799, 4e-07});
  expect_rates(
      one_cycle_schedule(
          {.peak = 0.2, .pct_start = 0.25, .div_factor = 10, .final_div_factor = 100, .linear = true},
          Schedule::Unit::kStep),
      7, 20, {0.02,    0.065,   0.11,    0.155,   0.2,    0.18668, 0.17336, 0.16004, 0.14672, 0.1334,
              0.12008, 0.10676, 0.09344, 0.08012, 0.0668, 0.05348, 0.04016, 0.02684, 0.01352, 0.0002});
}

TEST(Schedule, TakesAnyFunctionAndIsConstantByDefault) {
  Schedule halves = lambda_schedule([](std::int64_t t) { return t < 3 ? 1.0 : 0.5; }, Schedule::Unit::kStep);
  expect_rates(halves, 0.2, 5, {0.2, 0.2, 0.2, 0.1, 0.1});
  expect_rates(Schedule(), 0.2, 3, {0.2, 0.2, 0.2});
}

TEST(Schedule, HasFiniteRatesForTrainingsOfAnyLength) {
  for (std::int64_t total = 1; total < 6; ++total) {
    for (double pct : {0.0, 0.3, 1.0}) {
      Schedule schedule = one_cycle_schedule({.peak = 0.1, .pct_start = pct}, Schedule::Unit::kStep);
      for (std::int64_t i = 0; i <= total; ++i) {
        double rate = schedule.rate(1, i, total);
        EXPECT_GT(rate, 0);
        EXPECT_LE(rate, 0.1);
      }
    }
  }
}

TEST(ParseSchedule, UnderstandsWhatItPrints) {
  const char* const texts[] = {"constant", "step:size=2,gamma=0.5,per=epoch",
                               "cosine:min=0.001,period=7,per=step",
                               "onecycle:max=0.1,pct=0.25,div=10,final_div=100,anneal=linear,per=epoch"};
  for (const char* text : texts) {
    Result<Schedule> schedule = parse_schedule(text);
    ASSERT_TRUE(schedule.ok()) << schedule.status().message();
    EXPECT_EQ(schedule->text(), text);
  }
  EXPECT_EQ(parse_schedule("step:size=3")->text(), "step:size=3,gamma=0.1,per=epoch");
  EXPECT_EQ(parse_schedule("cosine")->text(), "cosine:min=0,period=0,per=epoch");
  EXPECT_EQ(parse_schedule("onecycle:max=0.1")->text(),
            "onecycle:max=0.1,pct=0.3,div=25,final_div=10000,anneal=cos,per=step");
  EXPECT_EQ(parse_schedule("onecycle:max=0.1")->unit(), Schedule::Unit::kStep);
  EXPECT_EQ(parse_schedule("cosine")->unit(), Schedule::Unit::kEpoch);
  EXPECT_EQ(parse_schedule("step:size=2,gamma=0.5")->rate(0.1, 2, 5), 0.05);
}

TEST(ParseSchedule, SaysWhatIsWrong) {
  auto message = [](std::string_view text) { return parse_schedule(text).status().message(); };
  EXPECT_EQ(message("cosinus"), "unknown schedule 'cosinus'; there are constant, step, cosine, onecycle");
  EXPECT_EQ(message(""), "unknown schedule ''; there are constant, step, cosine, onecycle");
  EXPECT_EQ(message("step"), "schedule step needs size, as in step:size=...");
  EXPECT_EQ(message("step:size=2,gama=0.5"), "schedule step has no key 'gama'; it has size, gamma, per");
  EXPECT_EQ(message("constant:x=1"), "schedule constant has no key 'x'; it takes none");
  EXPECT_EQ(message("step:size=2,size=3"), "schedule step: 'size' is given twice");
  EXPECT_EQ(message("step:size"), "schedule step: 'size' is not of the form key=value");
  EXPECT_EQ(message("step:size=2.5"), "schedule step: size is 2.5; a whole number is needed");
  EXPECT_EQ(message("cosine:per=day"), "schedule cosine: per is 'day'; step or epoch is needed");
  for (const char* bad : {"step:size=0", "step:size=1e99", "step:size=2x", "cosine:min=-1", "cosine:min=nan",
                          "onecycle:max=inf", "onecycle:max=1,div=0", "onecycle:max=1,pct=2"}) {
    EXPECT_NE(message(bad).find("is needed"), std::string::npos) << bad << ": " << message(bad);
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
