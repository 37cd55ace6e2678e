#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {
namespace {

Statistics random_statistics(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Statistics statistics{"fingerprint", {{"some data", 3}, {"and \"more\"", 2}}, {}};
  const Shape shapes[] = {{1, 3, 4, 4}, {1, 5}, {7}, {1, 2, 3}};
  for (const Shape& shape : shapes) {
    TensorStatistics& tensor = statistics.tensors["tensor" + zeropoint::to_string(shape)];
    for (int run = 0; run < 5; ++run) {
      Tensor values(ElementType::kFloat32, shape);
      for (float& value : values.data<float>()) {
        value = random() % 3 == 0 ? 0.0F : std::ldexp(normal(random), static_cast<int>(random() % 40) - 20);
      }
      tensor.moving_average.add(*tensor.add(values, shape.size() > 1 ? 1 : -1));
    }
  }
  EXPECT_TRUE(statistics.tensors["zeros"].add(Tensor(ElementType::kFloat32, {4}), -1).ok());
  return statistics;
}

/// Equal in what merging keeps exactly, and more.
void expect_same(const Statistics& a, const Statistics& b) {
  EXPECT_EQ(to_json(a), to_json(b));
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    const TensorStatistics& other = b.tensors.at(name);
    EXPECT_EQ(tensor.range.r_min, other.range.r_min);
    EXPECT_EQ(tensor.range.r_max, other.range.r_max);
    EXPECT_EQ(tensor.histogram, other.histogram);
    EXPECT_EQ(tensor.moving_average, other.moving_average);
    EXPECT_EQ(tensor.channels.sums, other.channels.sums);
    EXPECT_EQ(tensor.channels.axis, other.channels.axis);
    EXPECT_EQ(tensor.channels.per_channel, other.channels.per_channel);
  }
}

TEST(StatisticsFile, IsReadAsItWasWritten) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    Statistics statistics = random_statistics(seed);
    Result<Statistics> read = statistics_from_json(to_json(statistics));
    ASSERT_TRUE(read.ok()) << read.status().message();
    expect_same(*read, statistics);
    EXPECT_EQ(read->parts, statistics.parts);
    EXPECT_EQ(read->model, "fingerprint");
    // What was read merges as what was written.
    Statistics twice = statistics;
    ASSERT_TRUE(twice.merge(statistics).ok());
    ASSERT_TRUE(read->merge(statistics).ok());
    expect_same(*read, twice);
  }
}

/// The message for a text after `change`.
template <typename Change>
std::string message_after(Change&& change) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(to_json(random_statistics(1)));
  change(json);
  return statistics_from_json(json.dump()).status().message();
}

TEST(StatisticsFile, SaysWhatIsWrong) {
  EXPECT_EQ(statistics_from_json("").status().message(), "not a statistics file of zeropoint");
  EXPECT_EQ(statistics_from_json("[1]").status().message(), "not a statistics file of zeropoint");
  EXPECT_EQ(statistics_from_json(R"({"format":"zeropoint plan"})").status().message(),
            "not a statistics file of zeropoint");
  EXPECT_EQ(message_after([](auto& json) { json["version"] = 2; }),
            "a statistics file of another version than 1");
  EXPECT_EQ(message_after([](auto& json) { json.erase("model"); }), "'model' is missing");
  EXPECT_EQ(message_after([](auto& json) { json["modell"] = ""; }),
            "unknown field 'modell'; did you mean 'model'?");
  EXPECT_EQ(message_after([](auto& json) { json["tensors"].push_back(json["tensors"][0]); }),
            "tensor 'tensor[1, 2, 3]': it is listed twice");
  EXPECT_EQ(message_after([](auto& json) { json["parts"][0]["samples"] = -1; }),
            "'samples' must hold integers from 0 to 4611686018427387904");
  EXPECT_EQ(message_after([](auto& json) { json["parts"][0]["samples"] = std::uint64_t{1} << 63; }),
            "'samples' must hold integers from 0 to 4611686018427387904");
}

TEST(StatisticsFile, ChecksEveryNumberOfATensor) {
  using Json = nlohmann::ordered_json;
  const std::string where = "tensor 'tensor[1, 2, 3]': ";
  auto broken = [&](void (*change)(Json & tensor)) {
    std::string message = message_after([&](Json& json) { change(json["tensors"][0]); });
    EXPECT_EQ(message.substr(0, where.size()), where);
    return message.substr(std::min(where.size(), message.size()));
  };
  EXPECT_EQ(broken([](Json& t) { t["min"] = 1e39; }), "'min' must hold numbers that float32 holds");
  EXPECT_EQ(broken([](Json& t) { t["min"] = "low"; }), "'min' must hold numbers that float32 holds");
  EXPECT_NE(broken([](Json& t) { t["min"] = 1e9; }).find("is above 'max'"), std::string::npos);
  EXPECT_EQ(broken([](Json& t) { t["max"] = 1e9; }),
            "'min' and 'max' are not in the outermost bins that 'counts' fills");
  EXPECT_EQ(broken([](Json& t) { t["histogram"] = 3; }), "'histogram' must be an object");
  EXPECT_NE(broken([](Json& t) { t["histogram"]["first"] = 8191; }).find("there are 8192 bins"),
            std::string::npos);
  EXPECT_NE(broken([](Json& t) { t["histogram"]["counts"] = Json::array({1, 2, 3}); }), "");
  EXPECT_NE(broken([](Json& t) {
              t["histogram"]["counts"] = Json(std::vector<int>(9000, 1));
            }).find("there are 8192 bins"),
            std::string::npos);
  EXPECT_EQ(broken([](Json& t) { t["histogram"]["counts"][0] = -4; }),
            "'counts' must hold integers from 0 to 4611686018427387904");
  EXPECT_EQ(broken([](Json& t) { t["histogram"]["zeros"] = 4611686018427387904; }),
            "counts of values must be from 0 to 2^62, all together");
  EXPECT_EQ(broken([](Json& t) { t["histogram"]["exponent"] = 200; }),
            "'exponent' must hold integers from -126 to 116");
  EXPECT_NE(broken([](Json& t) { t["histogram"]["exponent"] = 100; }), "");
  EXPECT_EQ(broken([](Json& t) { t["moving_average"]["low"] = nullptr; }),
            "'low' must hold numbers that float32 holds");
  EXPECT_EQ(broken([](Json& t) { t["channels"]["sum"][1] = "xyz"; }), "channel 1: 'xyz' is no sum");
  EXPECT_EQ(broken([](Json& t) { t["channels"]["sum"][1] = "1@200"; }),
            "channel 1: range or mean is not within the tensor's range");
  EXPECT_EQ(broken([](Json& t) { t["channels"]["max"][0] = 1e30; }),
            "channel 0: range or mean is not within the tensor's range");
  EXPECT_NE(broken([](Json& t) { t["channels"]["per_channel"] = 4; }).find("for each of 2 channels"),
            std::string::npos);
  EXPECT_EQ(broken([](Json& t) { t["channels"]["axis"] = -1; }),
            "'axis' must hold integers from 0 to 2147483647");
}

TEST(StatisticsFile, SurvivesEveryByteChanged) {
  std::string good = to_json(random_statistics(2));
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      bad[random() % bad.size()] = "0123456789-+.eE\"[]{},:@x"[random() % 24];
    }
    bad.resize(random() % 4 == 0 ? random() % bad.size() : bad.size());
    Result<Statistics> read = statistics_from_json(bad);
    if (read.ok()) {  // then it is as good as any
      EXPECT_TRUE(statistics_from_json(to_json(*read)).ok());
    }
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
