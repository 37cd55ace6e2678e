#include "zeropoint/toolchain/ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace zeropoint::toolchain {
namespace {

TensorStatistics seen(const std::vector<float>& values) {
  TensorStatistics statistics;
  Tensor tensor = Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values);
  RealRange run = *statistics.add(tensor, -1);
  statistics.moving_average.add(run);
  return statistics;
}

RealRange range_by(const char* method, const TensorStatistics& statistics) {
  Result<CalibrationMethod> parsed = CalibrationMethod::parse(method);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return choose_range(statistics, *parsed, {8, false});
}

TEST(CalibrationMethod, IsReadAndWritten) {
  for (const char* name : {"minmax", "moving_average", "percentile:99.9", "percentile:100"}) {
    Result<CalibrationMethod> method = CalibrationMethod::parse(name);
    ASSERT_TRUE(method.ok()) << method.status().message();
    EXPECT_EQ(method->name(), name);
  }
  EXPECT_EQ(CalibrationMethod::parse("percentile")->percent, 99.99);
  EXPECT_EQ(CalibrationMethod::parse("mimmax").status().message(),
            "there is no calibration method 'mimmax'; did you mean minmax?");
  EXPECT_EQ(CalibrationMethod::parse("minmax:3").status().message(),
            "calibration method 'minmax' takes no number");
  for (const char* bad : {"percentile:", "percentile:50", "percentile:100.1", "percentile:nan",
                          "percentile:99x", "percentile:-1", "percentile:inf"}) {
    EXPECT_EQ(CalibrationMethod::parse(bad).status().message(),
              "'" + std::string(bad) +
                  "' is no percentile; use a number above 50 and up to 100, as percentile:99.99");
  }
}

TEST(ChooseRange, MinMaxIsAllThatWasSeen) {
  RealRange range = range_by("minmax", seen({3, -2, 7.5F, 0}));
  EXPECT_EQ(range.r_min, -2);
  EXPECT_EQ(range.r_max, 7.5F);
  EXPECT_GT(range_by("minmax", {}).r_min, range_by("minmax", {}).r_max);
  EXPECT_GT(range_by("percentile", {}).r_min, range_by("percentile", {}).r_max);
}

TEST(ChooseRange, PercentilesAreWithinABinOfTheSortedValues) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(static_cast<float>(seed % 5) - 2, 1);
    std::vector<float> values(1000 + random() % 5000);
    for (float& value : values) {
      value = normal(random);
      value = seed % 2 == 0 ? std::max(value, 0.0F) : value * value * value;
    }
    TensorStatistics statistics = seen(values);
    double width = statistics.histogram.width();
    std::sort(values.begin(), values.end());
    auto count = static_cast<double>(values.size());
    for (double percent : {50.5, 90.0, 99.0, 99.9, 99.99, 100.0}) {
      RealRange range = choose_range(statistics, {CalibrationMethod::Kind::kPercentile, percent}, {8, false});
      // The k-th smallest and largest, k values being left out at each end.
      double outside = count * (100 - percent) / 200;
      auto k = static_cast<std::size_t>(std::floor(outside));
      std::size_t next = std::min(k + 1, values.size() - 1);
      EXPECT_GE(range.r_min, values[k] - width) << percent << " seed " << seed;
      EXPECT_LE(range.r_min, values[next] + width) << percent << " seed " << seed;
      EXPECT_LE(range.r_max, values[values.size() - 1 - k] + width) << percent << " seed " << seed;
      EXPECT_GE(range.r_max, values[values.size() - 1 - next] - width) << percent << " seed " << seed;
    }
    RealRange all = range_by("percentile:100", statistics);
    EXPECT_EQ(all.r_min, values.front());
    EXPECT_EQ(all.r_max, values.back());
  }
}

TEST(ChooseRange, PercentilesLeaveAnOutlierOut) {
  std::vector<float> values(100000, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 1000) / 1000;
  }
  values[17] = 100;
  EXPECT_EQ(range_by("minmax", seen(values)).r_max, 100);
  EXPECT_NEAR(range_by("percentile:99.99", seen(values)).r_max, 1, 0.05);
}

TEST(ChooseRange, MovingAverageFollowsTheRuns) {
  TensorStatistics statistics;
  for (int i = 0; i < 1000; ++i) {
    float top = i < 500 ? 1.0F : 3.0F;
    RealRange run = *statistics.add(Tensor::of<float>({2}, {-2 * top, top}), -1);
    statistics.moving_average.add(run);
    if (i == 0 || i == 499) {
      EXPECT_NEAR(range_by("moving_average", statistics).r_max, 1, 1e-6);
      EXPECT_NEAR(range_by("moving_average", statistics).r_min, -2, 1e-6);
    }
  }
  // What is left of the first half weighs 0.99^500.
  EXPECT_NEAR(range_by("moving_average", statistics).r_max, 3 - 2 * std::pow(0.99, 500), 1e-4);
}

}  // namespace
}  // namespace zeropoint::toolchain
