#include "zeropoint/toolchain/transform.h"

#include <gtest/gtest.h>

#include <limits>

namespace zeropoint::toolchain {
namespace {

TEST(Transform, GivesTheFloatsOfTheTrainingFramework) {
  Transform transform{{Scale{255}, Normalize{{0.1307f}, {0.3081f}}}};
  std::vector<float> sample{0, 1, 128, 255};
  transform.apply(sample, 1);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    float byte[] = {0, 1, 128, 255};
    float scaled = byte[i] / 255.0f;
    float centred = scaled - 0.1307f;
    EXPECT_EQ(sample[i], centred / 0.3081f);
  }
  EXPECT_EQ(sample[0], -0.424212962f);
  EXPECT_EQ(sample[3], 2.82148671f);
}

TEST(Transform, TreatsChannelsApart) {
  Transform transform{{Normalize{{1, 2}, {4}}}};
  std::vector<float> sample{5, 9, 2, 6};
  transform.apply(sample, 2);
  EXPECT_EQ(sample, (std::vector<float>{1, 2, 0, 1}));
}

TEST(Transform, PrintsItself) {
  Transform mnist{{Scale{255}, Normalize{{0.1307f}, {0.3081f}}}};
  EXPECT_EQ(mnist.to_string(), "x/255, mean 0.1307, std 0.3081");
  Transform colour{{Scale{127.5f}, Normalize{{1, 2, 3}, {1}}}};
  EXPECT_EQ(colour.to_string(), "x/127.5, mean (1, 2, 3), std 1");
  EXPECT_EQ(Transform{}.to_string(), "as it is");
}

TEST(Transform, RefusesWhatCannotBe) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  auto message = [](const Transform& transform, std::int64_t channels) {
    return transform.validate(channels).message();
  };
  EXPECT_EQ(message({{Scale{255}, Normalize{{1}, {1}}}}, 3), "");
  EXPECT_EQ(message({{Normalize{{0, 0, 0}, {1, 1, 1}}}}, 3), "");
  EXPECT_NE(message({{Normalize{{1, 2, 3}, {1, 1, 1}}}}, 1), "");
  EXPECT_NE(message({{Normalize{{}, {1}}}}, 1), "");
  EXPECT_NE(message({{Normalize{{kNan}, {1}}}}, 1), "");
  EXPECT_NE(message({{Normalize{{0}, {kInfinity}}}}, 1), "");
  EXPECT_NE(message({{Scale{0}}}, 1), "");
  EXPECT_NE(message({{Scale{kNan}}}, 1), "");
  EXPECT_EQ(message({{Normalize{{0}, {0}}}}, 1), "preprocessing: std 0 must be greater than 0");
  EXPECT_NE(message({{Normalize{{0}, {-1}}}}, 1), "");
}

}  // namespace
}  // namespace zeropoint::toolchain
