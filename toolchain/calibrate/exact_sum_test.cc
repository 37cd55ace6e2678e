#include "zeropoint/toolchain/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace zeropoint::toolchain {
namespace {

ExactSum sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (double value : values) {
    sum.add(value);
  }
  return sum;
}

/// Float32 numbers of every magnitude and sign.
std::vector<double> random_floats(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  std::vector<double> values;
  while (values.size() < count) {
    auto value = std::ldexp(static_cast<float>(random() % 0x1000000), static_cast<int>(random() % 252) - 149);
    values.push_back(random() % 2 == 0 ? value : -value);
  }
  return values;
}

TEST(ExactSum, HoldsWhatFloat64Holds) {
  for (double value : {0.0, 1.0, -1.0, 0.1, -3.75, 1e38, -1e38, std::ldexp(1.0, -149), std::ldexp(-3.0, -149),
                       std::ldexp(1.0, 172), static_cast<double>(std::numeric_limits<float>::max())}) {
    // 0.1 as float64 is a multiple of 2^-56, so it fits as well.
    EXPECT_EQ(sum_of({value}).value(), value);
  }
  EXPECT_EQ(sum_of({1e38, 1, -1e38}).value(), 1);
  EXPECT_EQ(sum_of({1e38, std::ldexp(-1.0, -149), -1e38}).value(), std::ldexp(-1.0, -149));
}

TEST(ExactSum, RoundsOnceToTheNearestTiesToEven) {
  double one = std::ldexp(1.0, 53);
  EXPECT_EQ(sum_of({one, 1}).value(), one);
  EXPECT_EQ(sum_of({one, 1, std::ldexp(1.0, -149)}).value(), one + 2);
  EXPECT_EQ(sum_of({one, 3}).value(), one + 4);
  EXPECT_EQ(sum_of({-one, -3}).value(), -one - 4);
}

TEST(ExactSum, DoesNotDependOnTheOrderOrTheParts) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<double> values = random_floats(seed, 300);
    ExactSum whole = sum_of(values);
    std::mt19937 random(seed);
    std::shuffle(values.begin(), values.end(), random);
    EXPECT_EQ(sum_of(values), whole) << "seed " << seed;
    auto cut = values.begin() + static_cast<std::ptrdiff_t>(random() % values.size());
    ExactSum parts = sum_of({cut, values.end()});
    parts.add(sum_of({values.begin(), cut}));
    EXPECT_EQ(parts, whole) << "seed " << seed;
  }
}

TEST(ExactSum, IsTheSameAfterItWasText) {
  EXPECT_EQ(ExactSum().to_text(), "0");
  EXPECT_EQ(sum_of({5}).to_text(), "a@-1");
  for (unsigned seed = 0; seed < 50; ++seed) {
    ExactSum sum = sum_of(random_floats(seed, 1 + seed));
    Result<ExactSum> read = ExactSum::from_text(sum.to_text());
    ASSERT_TRUE(read.ok()) << sum.to_text();
    EXPECT_EQ(*read, sum);
  }
}

TEST(ExactSum, RefusesTextThatIsNoSum) {
  for (const char* text : {"", "-", "@", "1", "1@", "1@-", "@3", "g@1", "1@x", "01@0", "1@-150", "1@233",
                           "1@99999", "--1@0", "1@--1", "1@1 ", "1 @1", "1@12345678901234567890"}) {
    EXPECT_EQ(ExactSum::from_text(text).status().code(), StatusCode::kCorrupt) << text;
  }
  EXPECT_FALSE(ExactSum::from_text(std::string(97, 'f') + "@-149").ok());
  EXPECT_FALSE(ExactSum::from_text(std::string(100000, 'f') + "@-149").ok());
  EXPECT_TRUE(ExactSum::from_text("1@231").ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
