#include <gtest/gtest.h>

#include <random>

#include "quantize/plan_for_test.h"

namespace zeropoint::toolchain {
namespace {

using namespace plans;

void expect_equal(const QuantPlan& a, const QuantPlan& b) {
  ASSERT_EQ(a.decisions.size(), b.decisions.size());
  for (std::size_t i = 0; i < a.decisions.size(); ++i) {
    const Decision& x = a.decisions[i];
    const Decision& y = b.decisions[i];
    EXPECT_TRUE(x.tensor == y.tensor && x.role == y.role && x.type == y.type && x.params == y.params &&
                x.shares_with == y.shares_with && x.reason == y.reason)
        << x.tensor;
  }
}

/// The message of reading the plan's JSON with `from` replaced by `to`, once.
std::string with(const std::string& from, const std::string& to) {
  std::string json = to_json(plan_of());
  std::size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return plan_from_json(json.replace(at, from.size(), to)).status().message();
}

TEST(PlanText, ComesBackFromJsonAsItWas) {
  for (bool per_channel : {true, false}) {
    Recipe recipe;
    recipe.per_channel = per_channel;
    recipe.weights.narrow = true;
    recipe.activations = {3, true};
    QuantPlan plan = plan_of(recipe);
    decision(plan, "fc.w").params.granularity = Granularity::per_group(-1, 1);
    decision(plan, "r").params.params[0] = {std::numeric_limits<float>::min(), -1000000};
    decision(plan, "p").params.params[0] = {std::numeric_limits<float>::max(), 0};
    decision(plan, "p").params.params[0].scale = 0.1F;
    decision(plan, "f").reason = "because \"quotes\"\n and \xC3\xA9";
    Result<QuantPlan> read = plan_from_json(to_json(plan));
    ASSERT_TRUE(read.ok()) << read.status().message();
    expect_equal(*read, plan);
  }
}

TEST(PlanText, AppliesAsThePlanDoes) {
  Result<QuantPlan> read = plan_from_json(to_json(plan_of()));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(print(*apply_plan(network(), *read)), print(*apply_plan(network(), plan_of())));
}

TEST(PlanText, RefusesWhatIsNoPlan) {
  EXPECT_EQ(plan_from_json("").status().message(), "plan: not JSON at byte 1");
  EXPECT_EQ(plan_from_json("{\"format\": ").status().message(), "plan: not JSON at byte 12");
  EXPECT_EQ(plan_from_json("[1, 2]").status().message(), "not a zeropoint plan");
  EXPECT_EQ(plan_from_json("3").status().message(), "not a zeropoint plan");
  EXPECT_EQ(plan_from_json("null").status().message(), "not a zeropoint plan");
  EXPECT_EQ(with("zeropoint plan", "other plan"), "not a zeropoint plan");
  EXPECT_EQ(with("\"version\": 1", "\"version\": 2"), "not a zeropoint plan of version 1");
  EXPECT_EQ(with("\"version\": 1", "\"version\": \"1\""), "not a zeropoint plan of version 1");
  EXPECT_EQ(with("\"decisions\"", "\"choices\""), "plan: 'decisions' is missing");
  EXPECT_EQ(
      plan_from_json(R"({"format": "zeropoint plan", "version": 1, "decisions": null})").status().message(),
      "plan: 'decisions' must be a list");
  EXPECT_EQ(
      plan_from_json(R"({"format": "zeropoint plan", "version": 1, "decisions": [7]})").status().message(),
      "plan: decision 0: it is not an object");
  EXPECT_EQ(plan_from_json("{").status().code(), StatusCode::kCorrupt);
}

TEST(PlanText, NamesTheDecisionAndWhatIsMissing) {
  EXPECT_EQ(with("\"tensor\": \"input\"", "\"tensor\": 5"), "plan: decision 0: 'tensor' must be a text");
  const std::string input = "plan: tensor 'input': ";
  for (const char* name : {"role", "bits", "signed", "narrow", "granularity", "scale", "zero_point"}) {
    std::string key = "\"" + std::string(name) + "\"";
    EXPECT_EQ(with(key, "\"else\""), input + "'" + name + "' is missing");
  }
  EXPECT_EQ(with("\"axis\"", "\"else\""), "plan: tensor 'conv.w': 'axis' is missing");
  EXPECT_EQ(with("\"reason\"", "\"raeson\"").substr(0, 45), input + "unknown field 'raeson';");
}

TEST(PlanText, RefusesWordsItDoesNotKnow) {
  const std::string input = "plan: tensor 'input': ";
  EXPECT_EQ(with("\"activation\"", "\"activaton\""),
            input + "'role' cannot be 'activaton'; did you mean 'activation'?");
  EXPECT_EQ(with("\"per_tensor\"", "\"per_row\""),
            input + "'granularity' cannot be 'per_row'; use per_tensor, per_channel, per_group");
  EXPECT_EQ(with("\"signed\": false", "\"signed\": 0"), input + "'signed' must be true or false");
  EXPECT_EQ(with("\"shares_with\": \"r\"", "\"shares_with\": []"),
            "plan: tensor 'p': 'shares_with' must be a text");
}

TEST(PlanText, RefusesNumbersThatCannotBe) {
  const std::string input = "plan: tensor 'input': ";
  const std::string bits = " bits are not supported; use 2 to 8, 16 or 32";
  EXPECT_EQ(with("\"bits\": 8", "\"bits\": 77"), input + "77" + bits);
  EXPECT_EQ(with("\"bits\": 8", "\"bits\": -1"), input + "-1" + bits);
  EXPECT_EQ(with("\"bits\": 8", "\"bits\": 9"),
            input + "a quantized type of 9 bits is not supported; use 2 to 8, 16 or 32");
  for (const char* huge : {"1e300", "8.5", "18446744073709551615", "9007199254740993", "null", "\"8\""}) {
    EXPECT_EQ(with("\"bits\": 8", "\"bits\": " + std::string(huge)),
              input + "'bits' must be an integer of at most 53 bits");
  }
  EXPECT_EQ(with("\"narrow\": false", "\"narrow\": true"), input + "only a signed type can be narrow");
  std::string scale = to_json(plan_of());
  scale = scale.substr(scale.find("\"scale\": ["));
  scale = scale.substr(0, scale.find(']'));
  for (const char* bad : {"0", "-1", "1e300", "1e-40", "null", "true", "\"1\"", "[1]"}) {
    EXPECT_EQ(with(scale, "\"scale\": [" + std::string(bad)),
              input + "'scale' must hold positive normal float32 numbers");
  }
  EXPECT_EQ(with(scale, "\"scale\": [1e999"), "plan: a number is beyond float64");
  EXPECT_EQ(with(scale, "\"scale\": [1, 2"),
            input + "2 scales and 1 zero points; as many of each are needed, and one at least");
  EXPECT_EQ(with(scale, "\"scale\": [").substr(0, 30), input + "0 scales");
}

TEST(PlanText, WritesNamesThatAreNoUtf8) {
  QuantPlan plan = plan_of();
  plan.decisions[0].tensor = "\xFF\xFE";
  EXPECT_TRUE(plan_from_json(to_json(plan)).ok());
}

// Whatever is done to a plan's text, reading and applying it ends in a valid graph or a message.
TEST(PlanText, SurvivesDamage) {
  const std::string good = to_json(plan_of());
  const std::string_view snippets[] = {"-", "9", "e99",  "0",    "\"", ",",
                                       "[", "]", "null", "true", ".5", "1e-44"};
  std::mt19937 random(7);
  int applied = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (auto n = random() % 3 + 1; n > 0; --n) {
      std::string_view snippet = snippets[random() % std::size(snippets)];
      text.replace(random() % text.size(), random() % 3, snippet);
    }
    Result<QuantPlan> plan = plan_from_json(text);
    if (!plan.ok()) {
      ASSERT_FALSE(plan.status().message().empty());
      continue;
    }
    Result<Graph> graph = apply_plan(network(), *plan);
    if (graph.ok()) {
      ASSERT_TRUE(verify(*graph).ok());
      ++applied;
    }
  }
  EXPECT_GT(applied, 100);
}

}  // namespace
}  // namespace zeropoint::toolchain
