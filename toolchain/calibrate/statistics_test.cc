#include "zeropoint/toolchain/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace zeropoint::toolchain {
namespace {

Tensor random_tensor(unsigned seed, const Shape& shape) {
  Tensor tensor(ElementType::kFloat32, shape);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (float& value : tensor.data<float>()) {
    value = normal(random);
  }
  return tensor;
}

void expect_same(const TensorStatistics& a, const TensorStatistics& b) {
  EXPECT_EQ(a.range.r_min, b.range.r_min);
  EXPECT_EQ(a.range.r_max, b.range.r_max);
  EXPECT_EQ(a.histogram, b.histogram);
  EXPECT_EQ(a.channels.axis, b.channels.axis);
  EXPECT_EQ(a.channels.per_channel, b.channels.per_channel);
  EXPECT_EQ(a.channels.sums, b.channels.sums);
  ASSERT_EQ(a.channels.size(), b.channels.size());
  for (std::int64_t c = 0; c < a.channels.size(); ++c) {
    auto i = static_cast<std::size_t>(c);
    EXPECT_EQ(a.channels.ranges[i].r_min, b.channels.ranges[i].r_min);
    EXPECT_EQ(a.channels.ranges[i].r_max, b.channels.ranges[i].r_max);
  }
}

TEST(TensorStatistics, KnowsRangeAndMeanOfEachChannel) {
  for (const Shape& shape : {Shape{2, 3, 5, 7}, Shape{1, 4, 40}, Shape{3, 6}, Shape{1, 1, 9}, Shape{20}}) {
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.size()); ++axis) {
      SCOPED_TRACE(zeropoint::to_string(shape) + " axis " + std::to_string(axis));
      Tensor tensor = random_tensor(7, shape);
      TensorStatistics statistics;
      ASSERT_TRUE(statistics.add(tensor, axis).ok());
      std::int64_t channels = tensor.dim(axis);
      ASSERT_EQ(statistics.channels.size(), channels);
      EXPECT_EQ(statistics.channels.axis, axis);
      EXPECT_EQ(statistics.channels.per_channel, tensor.size() / channels);
      ParamsLayout layout = *ParamsLayout::of(shape, Granularity::per_channel(axis));
      std::vector<RealRange> ranges = *ranges_of(tensor, Granularity::per_channel(axis));
      std::vector<double> sums(static_cast<std::size_t>(channels));
      for (std::int64_t i = 0; i < tensor.size(); ++i) {
        sums[static_cast<std::size_t>(layout.index_of(i))] +=
            tensor.data<float>()[static_cast<std::size_t>(i)];
      }
      for (std::int64_t c = 0; c < channels; ++c) {
        auto i = static_cast<std::size_t>(c);
        EXPECT_EQ(statistics.channels.ranges[i].r_min, ranges[i].r_min);
        EXPECT_EQ(statistics.channels.ranges[i].r_max, ranges[i].r_max);
        EXPECT_EQ(statistics.channels.abs_max(c), std::max(-ranges[i].r_min, ranges[i].r_max));
        EXPECT_NEAR(statistics.channels.mean(c),
                    sums[i] * static_cast<double>(channels) / static_cast<double>(tensor.size()), 1e-12);
      }
    }
  }
}

TEST(TensorStatistics, MergingEqualsOnePassExactly) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::vector<Tensor> runs;
    for (unsigned i = 0; i < 9; ++i) {
      runs.push_back(random_tensor(100 * seed + i, {1, 3, 4, 4}));
    }
    TensorStatistics whole;
    std::vector<TensorStatistics> parts(3);
    for (const Tensor& run : runs) {
      whole.moving_average.add(*whole.add(run, 1));
    }
    std::size_t first = random() % 10;
    std::size_t second = first + random() % (10 - first);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      TensorStatistics& part = parts[i < first ? 0 : (i < second ? 1 : 2)];
      part.moving_average.add(*part.add(runs[i], 1));
    }
    TensorStatistics left = parts[0];  // (a + b) + c
    left.merge(parts[1]);
    left.merge(parts[2]);
    expect_same(left, whole);
    parts[1].merge(parts[2]);  // a + (b + c)
    parts[0].merge(parts[1]);
    expect_same(parts[0], whole);
    EXPECT_EQ(left.moving_average.runs, 9);
    EXPECT_NEAR(left.moving_average.range().r_max, whole.moving_average.range().r_max, 1e-6);
    EXPECT_NEAR(parts[0].moving_average.range().r_min, whole.moving_average.range().r_min, 1e-6);
  }
}

TEST(TensorStatistics, ChannelsThatChangeAreNone) {
  TensorStatistics statistics;
  ASSERT_TRUE(statistics.add(random_tensor(1, {1, 3, 4}), 1).ok());
  ASSERT_TRUE(statistics.add(random_tensor(1, {1, 0, 4}), 1).ok());
  EXPECT_EQ(statistics.channels.size(), 3);
  TensorStatistics other;
  ASSERT_TRUE(other.add(random_tensor(1, {1, 5, 4}), 1).ok());
  statistics.merge(other);
  EXPECT_EQ(statistics.channels.size(), 0);
  EXPECT_EQ(statistics.channels.axis, -1);
  ASSERT_TRUE(statistics.add(random_tensor(1, {1, 3, 4}), 1).ok());
  EXPECT_EQ(statistics.channels.size(), 0);
  EXPECT_EQ(statistics.count(), 12 + 20 + 12);
}

TEST(TensorStatistics, AddsNothingThatIsNotFinite) {
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    for (std::int64_t axis : {-1, 0, 1, 2}) {
      Tensor tensor = random_tensor(1, {2, 3, 40});
      tensor.data<float>()[100] = bad;
      TensorStatistics statistics;
      EXPECT_EQ(statistics.add(tensor, axis).status().code(), StatusCode::kInvalidArgument);
      EXPECT_EQ(statistics.count(), 0);
    }
  }
}

TEST(Statistics, OfOneModelAreMerged) {
  Statistics a{"m", {{"first", 3}}, {}};
  Statistics b{"m", {{"second", 4}}, {}};
  ASSERT_TRUE(a.tensors["x"].add(random_tensor(1, {4}), -1).ok());
  ASSERT_TRUE(b.tensors["x"].add(random_tensor(2, {4}), -1).ok());
  ASSERT_TRUE(a.merge(b).ok());
  EXPECT_EQ(a.samples(), 7);
  EXPECT_EQ(a.data(), "first, then second");
  EXPECT_EQ(a.tensors["x"].count(), 8);

  b.model = "n";
  EXPECT_EQ(
      a.merge(b).message(),
      "the statistics are of different models: the names are the same, and the constants or nodes differ");
  b.tensors["y"] = b.tensors["x"];
  EXPECT_EQ(a.merge(b).message(),
            "the statistics are of different models: tensor 'y' is in one of them only");
  EXPECT_EQ(b.merge(a).message(),
            "the statistics are of different models: tensor 'y' is in one of them only");
  EXPECT_EQ(a.samples(), 7);
}

}  // namespace
}  // namespace zeropoint::toolchain
