#include "zeropoint/toolchain/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace zeropoint::toolchain {
namespace {

Histogram of(std::span<const float> values) {
  Histogram histogram;
  histogram.add(values);
  return histogram;
}

/// Values over many magnitudes, zeros and denormal numbers among them.
std::vector<float> random_values(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  int spread = static_cast<int>(random() % 200);
  for (float& value : values) {
    value = random() % 4 == 0
                ? 0.0F
                : std::ldexp(normal(random), static_cast<int>(random() % (spread + 1)) - spread / 2);
  }
  return values;
}

/// Each bin counted by going through all values.
void expect_counts(const Histogram& histogram, const std::vector<float>& values) {
  double width = histogram.width();
  std::vector<std::int64_t> expected(Histogram::kBins);
  std::int64_t zeros = 0;
  for (float value : values) {
    if (value == 0) {
      ++zeros;
      continue;
    }
    auto steps = static_cast<std::int64_t>(std::floor(std::abs(static_cast<double>(value)) / width));
    ASSERT_LT(steps, Histogram::kSide);
    ++expected[static_cast<std::size_t>(value < 0 ? Histogram::kSide - 1 - steps : Histogram::kSide + steps)];
  }
  EXPECT_EQ(histogram.zeros(), zeros);
  EXPECT_EQ(histogram.count(), static_cast<std::int64_t>(values.size()));
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), histogram.bins().begin(), histogram.bins().end()));
}

TEST(Histogram, CountsEachValueInItsBin) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::vector<float> values = random_values(seed, 5000);
    values.push_back(1);
    Histogram histogram = of(values);
    expect_counts(histogram, values);
    float largest = std::abs(*std::max_element(values.begin(), values.end(),
                                               [](float a, float b) { return std::abs(a) < std::abs(b); }));
    EXPECT_LT(largest, histogram.width() * Histogram::kSide);
    EXPECT_GE(largest, histogram.width() * Histogram::kSide / 2);
  }
}

TEST(Histogram, HasTheWidthThatItsLargestValueNeeds) {
  const float one[] = {1};
  EXPECT_EQ(of(one).width(), std::ldexp(1.0, -11));  // 4096 of them reach up to 2
  const float below[] = {std::nextafter(1.0F, 0.0F)};
  EXPECT_EQ(of(below).width(), std::ldexp(1.0, -12));
  const float largest[] = {std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()};
  Histogram histogram = of(largest);
  EXPECT_EQ(histogram.exponent(), Histogram::kMaxExponent);
  EXPECT_EQ(histogram.bins().front(), 1);
  EXPECT_EQ(histogram.bins().back(), 1);
  const float smallest[] = {std::numeric_limits<float>::denorm_min(),
                            -std::numeric_limits<float>::denorm_min(), 0, -0.0F};
  histogram = of(smallest);
  EXPECT_EQ(histogram.exponent(), Histogram::kMinExponent);
  EXPECT_EQ(histogram.bins()[Histogram::kSide], 1);
  EXPECT_EQ(histogram.bins()[Histogram::kSide - 1], 1);
  EXPECT_EQ(histogram.zeros(), 2);
  EXPECT_TRUE(Histogram().bins().empty());
}

TEST(Histogram, DoesNotDependOnTheOrder) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<float> values = random_values(seed, 3000);
    Histogram histogram = of(values);
    std::mt19937 random(seed);
    std::shuffle(values.begin(), values.end(), random);
    EXPECT_EQ(of(values), histogram) << "seed " << seed;
    std::sort(values.begin(), values.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
    Histogram one_by_one;  // doubles its range as often as can be
    for (const float& value : values) {
      one_by_one.add({&value, 1});
    }
    EXPECT_EQ(one_by_one, histogram) << "seed " << seed;
  }
}

TEST(Histogram, MergingEqualsCountingTogetherInAnyOrder) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::vector<float> all;
    std::vector<Histogram> parts;
    std::mt19937 random(seed);
    for (unsigned part = 0; part < 4; ++part) {
      std::vector<float> values = random_values(10 * seed + part, random() % 500);
      all.insert(all.end(), values.begin(), values.end());
      parts.push_back(of(values));
    }
    Histogram whole = of(all);
    std::sort(parts.begin(), parts.end(),
              [](const Histogram& a, const Histogram& b) { return a.count() < b.count(); });
    for (int order = 0; order < 6; ++order) {
      std::shuffle(parts.begin(), parts.end(), random);
      Histogram left = parts[0];
      left.merge(parts[1]);
      Histogram right = parts[2];
      right.merge(parts[3]);
      left.merge(right);
      EXPECT_EQ(left, whole) << "seed " << seed;
    }
    Histogram nothing;
    nothing.merge(whole);
    nothing.merge(Histogram());
    EXPECT_EQ(nothing, whole);
  }
}

TEST(Histogram, IsMadeOfCountsThatItCouldHave) {
  Histogram histogram = of(random_values(3, 1000));
  std::vector<std::int64_t> bins(histogram.bins().begin(), histogram.bins().end());
  Result<Histogram> same = Histogram::from_counts(histogram.exponent(), histogram.zeros(), bins);
  ASSERT_TRUE(same.ok()) << same.status().message();
  EXPECT_EQ(*same, histogram);
  EXPECT_EQ(*Histogram::from_counts(Histogram::kMinExponent, 0, {}), Histogram());

  EXPECT_FALSE(Histogram::from_counts(-127, 0, bins).ok());
  EXPECT_FALSE(Histogram::from_counts(117, 0, bins).ok());
  EXPECT_FALSE(Histogram::from_counts(0, -1, bins).ok());
  EXPECT_FALSE(Histogram::from_counts(0, 0, {}).ok());
  bins.assign(Histogram::kBins, 0);
  EXPECT_FALSE(Histogram::from_counts(0, 0, bins).ok());
  bins[Histogram::kSide] = 1;
  EXPECT_FALSE(Histogram::from_counts(0, 0, bins).ok());  // narrower bins would do
  bins.back() = 1;
  EXPECT_TRUE(Histogram::from_counts(0, 0, bins).ok());
  bins.back() = -1;
  EXPECT_FALSE(Histogram::from_counts(0, 0, bins).ok());
  bins.back() = std::int64_t{1} << 62;
  EXPECT_FALSE(Histogram::from_counts(0, 1, bins).ok());
  bins.pop_back();
  EXPECT_FALSE(Histogram::from_counts(0, 0, bins).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
