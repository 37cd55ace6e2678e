#include "report/point_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace zeropoint::toolchain {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

Tensor row(const std::vector<float>& values) {
  return Tensor::of<float>({1, static_cast<std::int64_t>(values.size())}, values);
}

LayerMeasurement figures(const PointSums& sums) {
  LayerMeasurement layer;
  sums.write(layer);
  return layer;
}

/// uint8, steps of 1 from 0 to 255.
PointSums::Rounding steps_of_one() { return {{1, 0}, {0, 255}}; }

TEST(PointSums, SplitsTheErrorByHand) {
  PointSums sums(steps_of_one(), false);
  // The layer's constants make 10.25 of 10, rounding makes that 10; 300 lies beyond the range; 4 is exact.
  sums.add_isolated(row({10, 300, 4}), row({10.25F, 300, 4}), row({10, 255, 4}), -1);
  LayerMeasurement layer = figures(sums);
  double signal = 100 + 90000 + 16;
  EXPECT_EQ(layer.elements, 3);
  EXPECT_DOUBLE_EQ(layer.clipping, 45.0 * 45.0 / signal);
  EXPECT_DOUBLE_EQ(layer.rounding, 0.0625 / signal);
  EXPECT_DOUBLE_EQ(layer.constants, 0.0625 / signal);
  EXPECT_DOUBLE_EQ(layer.saturated, 1.0 / 3);
  EXPECT_DOUBLE_EQ(layer.isolated.sqnr_db, 10 * std::log10(signal / (45.0 * 45.0)));
  EXPECT_DOUBLE_EQ(layer.isolated.largest, 45);
  EXPECT_DOUBLE_EQ(layer.isolated.cosine,
                   (100 + 300.0 * 255 + 16) / std::sqrt(signal * (100 + 255.0 * 255 + 16)));
  EXPECT_EQ(layer.smallest_seen, 4);
  EXPECT_EQ(layer.largest_seen, 300);
}

TEST(PointSums, ARangeThatDoesTheWorkOfAReluClipsNothing) {
  PointSums sums(steps_of_one(), false);
  sums.add_isolated(row({0, 3}), row({-70, 3}), row({0, 3}), -1);  // the layer gives -70, its Relu 0
  LayerMeasurement layer = figures(sums);
  EXPECT_EQ(layer.clipping, 0);
  EXPECT_EQ(layer.constants, 0);
  EXPECT_EQ(layer.saturated, 0);
  EXPECT_EQ(layer.isolated.sqnr_db, std::numeric_limits<double>::infinity());
}

TEST(PointSums, FindsTheWorstChannelAndTheShiftOfItsMean) {
  PointSums sums(std::nullopt, false);
  // [1, 2 channels, 2]: channel 0 is off by 1 everywhere, channel 1 by 1 and by -1.
  Tensor seen = Tensor::of<float>({1, 2, 2}, {1, 1, 10, 10});
  Tensor made = Tensor::of<float>({1, 2, 2}, {2, 2, 11, 9});
  sums.add_isolated(seen, made, made, 1);
  LayerMeasurement layer = figures(sums);
  EXPECT_EQ(layer.worst.channel, 0);
  EXPECT_DOUBLE_EQ(layer.worst.sqnr_db, 0);
  EXPECT_DOUBLE_EQ(layer.median_db, 20);
  EXPECT_DOUBLE_EQ(layer.constant_shift, 0.5);
}

TEST(PointSums, CountsTheBitsInUse) {
  PointSums wide(steps_of_one(), false);
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(static_cast<float>(i % 16));
  }
  wide.add_isolated(row(values), row(values), row(values), -1);
  EXPECT_DOUBLE_EQ(figures(wide).effective_bits, 4);
  // One value in 2001 is an outlier: the others still use 4 bits.
  values.insert(values.end(), values.begin(), values.end());
  values.push_back(255);
  PointSums outlier(steps_of_one(), false);
  outlier.add_isolated(row(values), row(values), row(values), -1);
  EXPECT_DOUBLE_EQ(figures(outlier).effective_bits, 4);
}

TEST(PointSums, LeavesOutWhatAMaskShutsOutAndWhatIsNotFinite) {
  PointSums sums(std::nullopt, true);
  sums.add_isolated(row({1, -1e9F, -kInf, 2}), row({1, -8, -8, 2}), row({1, -8, -8, 2}), -1);
  sums.add_cumulative(row({1, -1e9F, 2}), row({1, -8, 2}));
  LayerMeasurement layer = figures(sums);
  EXPECT_EQ(layer.elements, 2);
  EXPECT_EQ(layer.isolated.largest, 0);
  EXPECT_EQ(layer.cumulative.largest, 0);
}

TEST(PointSums, AResultThatIsNotFiniteIsALossOfTheValue) {
  PointSums sums(std::nullopt, false);
  sums.add_cumulative(row({3, 4}), row({3, std::nanf("")}));
  EXPECT_DOUBLE_EQ(figures(sums).cumulative.sqnr_db, 10 * std::log10(25.0 / 16));
}

TEST(PointSums, MergingPartsEqualsAddingThem) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 100);
  PointSums whole(steps_of_one(), false);
  PointSums first(steps_of_one(), false);
  for (int part = 0; part < 2; ++part) {
    Tensor seen(ElementType::kFloat32, {3, 4, 5});
    Tensor made = seen;
    for (std::size_t i = 0; i < 60; ++i) {
      seen.data<float>()[i] = std::round(normal(random));  // whole numbers: sums are exact in any order
      made.data<float>()[i] = seen.data<float>()[i] + static_cast<float>(i % 3);
    }
    whole.add_isolated(seen, made, made, 1);
    whole.add_cumulative(seen, made);
    PointSums own(steps_of_one(), false);
    own.add_isolated(seen, made, made, 1);
    own.add_cumulative(seen, made);
    first.merge(own);
  }
  LayerMeasurement a = figures(whole);
  LayerMeasurement b = figures(first);
  EXPECT_EQ(a.elements, 120);
  EXPECT_EQ(a.elements, b.elements);
  EXPECT_EQ(a.isolated.sqnr_db, b.isolated.sqnr_db);
  EXPECT_EQ(a.cumulative.cosine, b.cumulative.cosine);
  EXPECT_EQ(a.clipping, b.clipping);
  EXPECT_EQ(a.effective_bits, b.effective_bits);
  EXPECT_EQ(a.worst.channel, b.worst.channel);
  EXPECT_EQ(a.worst.sqnr_db, b.worst.sqnr_db);
  EXPECT_EQ(a.smallest_seen, b.smallest_seen);
}

TEST(SqnrDb, HasAnswersAtItsEnds) {
  EXPECT_EQ(sqnr_db(1, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(sqnr_db(0, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(sqnr_db(0, 1), -std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(sqnr_db(100, 1), 20);
}

}  // namespace
}  // namespace zeropoint::toolchain
