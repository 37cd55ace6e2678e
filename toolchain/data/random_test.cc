#include "zeropoint/toolchain/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace zeropoint::toolchain {
namespace {

TEST(Random, FollowsTheReferenceGenerator) {
  // The first outputs of xoshiro256++ from the state 1, 2, 3, 4, as its authors' code gives them.
  Random random(0);
  random.restore({1, 2, 3, 4});
  EXPECT_EQ(random.next(), 41943041u);
  EXPECT_EQ(random.next(), 58720359u);
  EXPECT_EQ(random.next(), 3588806011781223u);
  EXPECT_EQ(random.next(), 3591011842654386u);
}

TEST(Random, StreamsAreUnrelated) {
  EXPECT_EQ(Random(7, 3).next(), Random(7, 3).next());
  EXPECT_NE(Random(7, 3).next(), Random(7, 4).next());
  EXPECT_NE(Random(7, 3).next(), Random(3, 7).next());
  EXPECT_NE(Random(0, 0).next(), Random(1, 0).next());
}

TEST(Random, ResumesFromItsState) {
  Random random(5);
  random.normal();
  Random::State state = random.state();
  double expected = random.normal();
  Random other(99);
  other.restore(state);
  EXPECT_EQ(other.normal(), expected);
}

TEST(Random, NumbersHaveTheirMoments) {
  Random random(1);
  constexpr int kCount = 200000;
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  double uniforms = 0;
  for (int i = 0; i < kCount; ++i) {
    double x = random.normal();
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
    double u = random.uniform(2, 4);
    ASSERT_TRUE(u >= 2 && u < 4);
    uniforms += u;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.01);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
  EXPECT_NEAR(fourths / kCount, 3, 0.1);
  EXPECT_NEAR(uniforms / kCount, 3, 0.01);
}

TEST(Random, BelowIsUniformAndInRange) {
  Random random(2);
  for (std::uint64_t count : {1ull, 2ull, 3ull, 7ull, 8ull, 9ull}) {
    std::vector<int> seen(count);
    for (int i = 0; i < 9000; ++i) {
      std::uint64_t value = random.below(count);
      ASSERT_LT(value, count);
      ++seen[value];
    }
    for (int times : seen) {
      EXPECT_NEAR(times, 9000.0 / static_cast<double>(count), 250);
    }
  }
  EXPECT_LT(random.below(~0ull), ~0ull);
}

TEST(Random, ShuffleIsAPermutationThatIsTheSameEverywhere) {
  std::vector<std::int64_t> values(10);
  std::iota(values.begin(), values.end(), 0);
  Random(42).shuffle(values);
  EXPECT_EQ(values, (std::vector<std::int64_t>{6, 9, 0, 5, 8, 4, 7, 1, 3, 2}));
  std::sort(values.begin(), values.end());
  for (std::int64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(values[i], i);
  }
  EXPECT_EQ(Random(42).normal(), 0.80215605405992019);
}

}  // namespace
}  // namespace zeropoint::toolchain
