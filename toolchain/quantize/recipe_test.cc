#include "zeropoint/toolchain/recipe.h"

#include <gtest/gtest.h>

#include "quantize/plan_for_test.h"

namespace zeropoint::toolchain {
namespace {

Recipe read(std::string_view text) {
  Result<Recipe> recipe = recipe_from_json(text);
  EXPECT_TRUE(recipe.ok()) << recipe.status().message();
  return recipe.ok() ? *recipe : Recipe{};
}

std::string error_of(std::string_view text) {
  Result<Recipe> recipe = recipe_from_json(text);
  EXPECT_FALSE(recipe.ok()) << text;
  return recipe.status().message();
}

TEST(Recipe, EveryBaseIsSoundAndSurvivesJson) {
  for (const BaseRecipe& base : base_recipes()) {
    Result<Recipe> recipe = base_recipe(base.name);
    ASSERT_TRUE(recipe.ok()) << base.name;
    EXPECT_TRUE(check_recipe(*recipe).ok()) << base.name;
    std::string text = to_json(*recipe);
    EXPECT_EQ(to_json(read(text)), text);
  }
}

TEST(Recipe, WhatIsNotSaidIsAsTheBaseHasIt) {
  Recipe recipe = read(R"({"base": "weight_only_w4", "weights": {"group_size": 128}})");
  EXPECT_EQ(recipe.mode, ActivationMode::kFloat);
  EXPECT_EQ(recipe.weights.bits, 4);
  EXPECT_EQ(recipe.group_size, 128);
  EXPECT_EQ(read("{}").activations, (QuantizedType{8, false}));
  EXPECT_EQ(read(R"({"weights": {"granularity": "per_tensor"}})").per_channel, false);
  EXPECT_EQ(read(R"({"activations": {"type": "int16"}})").activations, (QuantizedType{16, true}));
  EXPECT_EQ(read(R"({"activations": {"type": "uint5"}})").activations, (QuantizedType{5, false}));
}

TEST(Recipe, OverridesSurviveJson) {
  std::string text = to_json(read(R"({"overrides": [
    {"nodes": "conv?.*", "weights": {"bits": 4}, "activations": {"type": "int16", "calibrator": "percentile:99.9"}},
    {"operator": "Softmax", "float": true},
    {"nodes": "fc", "weights": {"group_size": 16}, "activations": {"type": "none"}}]})"));
  EXPECT_EQ(to_json(read(text)), text);
}

TEST(Recipe, TheLastOverrideDecides) {
  Recipe recipe = read(R"({"overrides": [
    {"operator": "Conv", "weights": {"bits": 4}},
    {"nodes": "conv2*", "weights": {"bits": 6}},
    {"nodes": "conv21", "float": true}]})");
  auto bits = [&](Op op, const char* name) {
    return node_recipe(recipe, {op, name, {}, {}, {}}).weights.bits;
  };
  EXPECT_EQ(bits(Op::kConv, "conv1"), 4);
  EXPECT_EQ(bits(Op::kConv, "conv2"), 6);
  EXPECT_EQ(bits(Op::kGemm, "fc"), 8);
  EXPECT_TRUE(node_recipe(recipe, {Op::kConv, "conv21", {}, {}, {}}).in_float);
  EXPECT_FALSE(node_recipe(recipe, {Op::kConv, "conv2", {}, {}, {}}).in_float);
}

TEST(Recipe, Patterns) {
  EXPECT_TRUE(matches("conv1", "conv1"));
  EXPECT_FALSE(matches("conv1", "conv12"));
  EXPECT_TRUE(matches("conv*", "conv"));
  EXPECT_TRUE(matches("*1*.w", "conv1/a1.w"));
  EXPECT_TRUE(matches("c??v", "conv"));
  EXPECT_FALSE(matches("c?v", "conv"));
  EXPECT_TRUE(matches("**", ""));
  EXPECT_FALSE(matches("?", ""));
}

TEST(Recipe, SaysWhatIsWrongAndWhatWasMeant) {
  EXPECT_EQ(error_of("[]"), "not a zeropoint recipe");
  EXPECT_EQ(error_of("{"), "recipe: not JSON at byte 2");
  EXPECT_EQ(error_of(R"({"wieghts": {}})"), "recipe: unknown field 'wieghts'; did you mean 'weights'?");
  EXPECT_EQ(error_of(R"({"base": "static_w8a9"})"),
            "recipe: there is no recipe 'static_w8a9'; did you mean static_w8a8?");
  EXPECT_EQ(error_of(R"({"weights": {"bit": 4}})"), "recipe: unknown field 'bit'; did you mean 'bits'?");
  EXPECT_EQ(error_of(R"({"weights": {"bits": 1}})"), "recipe: 'bits' of weights must be 2 to 8 or 16, not 1");
  EXPECT_EQ(error_of(R"({"activations": {"type": "int32"}})").substr(0, 46),
            "recipe: 'type' cannot be 'int32'; did you mean");
  EXPECT_EQ(error_of(R"({"overrides": [{"operator": "Convv"}]})"),
            "recipe: override 0: there is no operator 'Convv'; did you mean Conv?");
  EXPECT_EQ(error_of(R"({"overrides": [{"float": true}]})"),
            "recipe: override 0: it must name 'nodes' or an 'operator'");
  EXPECT_EQ(error_of(R"({"overrides": [{"nodes": "a", "activations": {"type": 3}}]})"),
            "recipe: override 0: 'type' must be a text");
}

TEST(Recipe, RefusesTheImpossible) {
  EXPECT_EQ(error_of(R"({"activations": {"group_size": 32}})"),
            "recipe: activations have one scale per tensor; 'granularity' and 'group_size' are for weights");
  EXPECT_EQ(error_of(R"({"weights": {"granularity": "per_group"}})").substr(0, 53),
            "recipe: scales per group are for weights alone (activ");
  EXPECT_EQ(error_of(R"({"weights": {"bits": 12}})"),
            "recipe: weights: a quantized type of 12 bits is not supported; use 2 to 8, 16 or 32");
  EXPECT_EQ(error_of(R"({"base": "dynamic_w8a8", "weights": {"bits": 16}})"),
            "recipe: dynamic activations need weights of at most 8 bits, not int16");
  EXPECT_EQ(error_of(R"({"weights": {"granularity": "per_tensor", "group_size": 8}})"),
            "recipe: 'group_size' is for weights of granularity per_group");
  EXPECT_EQ(error_of(R"({"border_bits": 9})"), "recipe: border bits must be 2 to 8 or 16, not 9");
  EXPECT_EQ(error_of(R"({"overrides": [{"nodes": "a", "weights": {"group_size": 8}}]})").substr(0, 58),
            "recipe: override for nodes 'a': scales per group are for w");
}

TEST(Recipe, OverridesConcernNodesThatThereAre) {
  Graph graph = plans::network();
  auto check = [&](const char* text) { return check_overrides(read(text), graph).message(); };
  EXPECT_EQ(
      check(R"({"overrides": [{"nodes": "c*"}, {"operator": "Gemm"}, {"nodes": "fc", "operator": "Gemm"}]})"),
      "");
  EXPECT_EQ(check(R"({"overrides": [{"nodes": "cnv"}]})"),
            "override for nodes 'cnv': the network has none; did you mean 'conv'?");
  EXPECT_EQ(check(R"({"overrides": [{"operator": "Softmax"}]})"),
            "override for every node of Softmax: the network has no Softmax");
}

}  // namespace
}  // namespace zeropoint::toolchain
