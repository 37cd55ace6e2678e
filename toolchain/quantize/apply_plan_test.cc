#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantize/plan_for_test.h"
#include "zeropoint/toolchain/lower.h"

namespace zeropoint::toolchain {
namespace {

using namespace plans;

Graph applied(const QuantPlan& plan, const Graph& graph = network()) {
  Result<Graph> result = apply_plan(graph, plan);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *result : Graph{};
}

Recipe quantized_output() {
  Recipe recipe;
  recipe.output = Recipe::Output::kQuantized;
  return recipe;
}

/// The message of applying a plan to the network after `change` was made to the plan.
template <typename Change>
std::string after(Change change) {
  QuantPlan plan = plan_of(quantized_output());
  change(plan);
  return apply_plan(network(), plan).status().message();
}

TEST(ApplyPlan, GivesAVerifiedGraphWithTheSameBordersAndShapes) {
  for (Recipe::Output output : {Recipe::Output::kQuantized, Recipe::Output::kAccumulator}) {
    Recipe recipe;
    recipe.output = output;
    recipe.activations.bits = 5;
    Graph real = network();
    Graph graph = applied(plan_of(recipe));
    EXPECT_TRUE(verify(graph).ok());
    ASSERT_EQ(graph.inputs.size(), 1U);
    ASSERT_EQ(graph.outputs.size(), 1U);
    EXPECT_EQ(graph.value(graph.inputs[0]).name, "input");
    EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
    EXPECT_EQ(*graph.value(graph.inputs[0]).dims, *real.value(real.inputs[0]).dims);
    EXPECT_EQ(*graph.value(graph.outputs[0]).dims, *real.value(real.outputs[0]).dims);
    for (const char* name : {"c", "r", "p", "f"}) {
      EXPECT_EQ(*graph.value(graph.find(name)).dims, *real.value(real.find(name)).dims);
    }
    EXPECT_EQ(graph.metadata, real.metadata);
    EXPECT_TRUE(lower(graph, RequantizeMode::kFloat).ok());
  }
}

TEST(ApplyPlan, StoresWeightsAndBiasesAsIntegers) {
  Graph graph = applied(plan_of());
  EXPECT_EQ(graph.value(graph.find("conv.w_quantized")).type, ElementType::kInt8);
  EXPECT_EQ(graph.value(graph.find("conv.w_quantized")).constant->data<std::int8_t>()[0], -127);
  EXPECT_EQ(graph.value(graph.find("conv.w_scale")).constant->shape(), Shape{2});
  EXPECT_EQ(graph.value(graph.find("fc.b_quantized")).type, ElementType::kInt32);
  EXPECT_EQ(graph.find("conv.w"), kNoValue);
}

TEST(ApplyPlan, ClipsOnlyWhereBitsAreFewerThanTheStorageHas) {
  EXPECT_EQ(applied(plan_of()).find("r_clipped"), kNoValue);
  Recipe recipe;
  recipe.activations = {4, true};
  QuantPlan plan = plan_of(recipe);
  Graph graph = applied(plan);
  ASSERT_NE(graph.find("r_clipped"), kNoValue);
  EXPECT_EQ(graph.find("p_clipped"), kNoValue);  // the same integers: they are clipped already
  QuantParams params = decision(plan, "r").params.params[0];
  EXPECT_EQ(graph.value(graph.find("r_low")).constant->data<float>()[0], dequantize(-8, params));
  EXPECT_EQ(graph.value(graph.find("r_high")).constant->data<float>()[0], dequantize(7, params));
}

TEST(ApplyPlan, TakesNamesThatTheGraphDoesNotUse) {
  Graph graph = network();
  graph.value(graph.find("c")).name = "r_scale";
  graph.value(graph.find("f")).name = "conv.w_quantized";
  RangeTable table = ranges();
  table.ranges["conv.w_quantized"] = table.ranges["f"];
  Result<QuantPlan> plan = make_plan(graph, table, {});
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  Graph result = applied(*plan, graph);
  EXPECT_TRUE(lower(result, RequantizeMode::kFloat).ok());
  EXPECT_EQ(result.value(result.find("r_scale_2")).constant->data<float>()[0],
            plan->find("r")->params.params[0].scale);
}

TEST(ApplyPlan, KeepsAConstantThatIsAnOutput) {
  Graph graph = network();
  graph.outputs.push_back(graph.add_constant("note", Tensor::of<float>({1}, {3})));
  Graph result = applied(plan_of({}, graph), graph);
  ASSERT_EQ(result.outputs.size(), 2U);
  EXPECT_EQ(result.value(result.outputs[1]).name, "note");
}

TEST(ApplyPlan, FollowsAnEditedPlan) {
  QuantPlan plan = plan_of();
  float s_in = decision(plan, "input").params.params[0].scale;
  decision(plan, "conv.w").params.params[1].scale = 0.25F;
  Graph graph = applied(plan);
  EXPECT_EQ(graph.value(graph.find("conv.w_scale")).constant->data<float>()[1], 0.25F);
  // The last weight is 0.75.
  EXPECT_EQ(graph.value(graph.find("conv.w_quantized")).constant->data<std::int8_t>()[35], 3);
  EXPECT_TRUE(lower(graph, RequantizeMode::kFloat).ok());  // the bias is brought to the new scale
  decision(plan, "conv.b").params.params[1].scale = s_in * 0.25F;
  EXPECT_TRUE(lower(applied(plan), RequantizeMode::kFloat).ok());
}

TEST(ApplyPlan, RefusesTensorsThatItCannotDecide) {
  EXPECT_EQ(after([](QuantPlan& p) { p.decisions[2].tensor = "nobody"; }),
            "the plan names tensor 'nobody', which the graph does not have");
  EXPECT_EQ(after([](QuantPlan& p) { p.decisions.push_back(p.decisions[1]); }),
            "plan for tensor 'conv.w': it is decided twice");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "conv.w").role = TensorRole::kActivation; }),
            "plan for tensor 'conv.w': it is a constant, so its role cannot be activation");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "r").role = TensorRole::kWeight; }),
            "plan for tensor 'r': it is computed, so its role must be activation");
}

TEST(ApplyPlan, RefusesScalesThatAreNone) {
  constexpr float kMost = std::numeric_limits<float>::max();
  for (float scale : {0.0F, -0.5F, NAN, INFINITY, 1e-40F, kMost}) {
    EXPECT_EQ(after([&](QuantPlan& p) { decision(p, "y").params.params[0].scale = scale; }),
              fmt::format("plan for tensor 'y': scale {} is not a positive normal number of steps that stay "
                          "finite",
                          scale));
    EXPECT_NE(after([&](QuantPlan& p) { decision(p, "conv.w").params.params[1].scale = scale; }), "");
    EXPECT_NE(after([&](QuantPlan& p) { decision(p, "conv.b").params.params[1].scale = scale; }), "");
  }
}

TEST(ApplyPlan, RefusesNumbersOfScalesThatDoNotFit) {
  auto more = [](Decision& d) { d.params.params.resize(d.params.params.size() + 1000, {1, 0}); };
  const std::string one = "an activation needs one scale and one zero point for the whole tensor";
  EXPECT_EQ(after([&](QuantPlan& p) { more(decision(p, "input")); }), "plan for tensor 'input': " + one);
  EXPECT_EQ(after([&](QuantPlan& p) { decision(p, "y").params.params.clear(); }),
            "plan for tensor 'y': " + one);
  EXPECT_EQ(after([&](QuantPlan& p) { decision(p, "y").params.granularity = Granularity::per_channel(1); }),
            "plan for tensor 'y': " + one);
  EXPECT_EQ(after([&](QuantPlan& p) { more(decision(p, "conv.w")); }),
            "plan for tensor 'conv.w': a tensor of shape [2, 2, 3, 3] needs 2 scales, not 1002");
  EXPECT_EQ(after([&](QuantPlan& p) { decision(p, "fc.b").params.params.clear(); }),
            "plan for tensor 'fc.b': a tensor of shape [3] needs 3 scales, not 0");
  EXPECT_EQ(after([&](QuantPlan& p) { decision(p, "conv.w").params.granularity.axis = 9; }),
            "plan for tensor 'conv.w': axis 9 is outside of shape [2, 2, 3, 3]");
  EXPECT_EQ(
      after([&](QuantPlan& p) { decision(p, "conv.w").params.granularity = Granularity::per_group(1, 1); }),
      "plan for tensor 'conv.w': scales per group have no integer layer; they are for layers whose input is "
      "float");
}

TEST(ApplyPlan, RefusesZeroPointsOutsideOfTheType) {
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "y").params.params[0].zero_point = 256; }),
            "plan for tensor 'y': zero point 256 is outside of uint8, [0, 255]");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "conv.w").params.params[0].zero_point = -129; }),
            "plan for tensor 'conv.w': zero point -129 is outside of int8, [-128, 127]");
}

TEST(ApplyPlan, RefusesTypesThatOnnxOrTheLayersDoNotHave) {
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "y").type.bits = 77; }),
            "plan for tensor 'y': a quantized type of 77 bits is not supported; use 2 to 8, 16 or 32");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "y").type.bits = 32; }),
            "plan for tensor 'y': its type cannot be uint32; 2 to 8 or 16 bits is needed");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "conv.b").type.bits = 8; }),
            "plan for tensor 'conv.b': its type cannot be int8; int32 for a bias is needed");
}

TEST(ApplyPlan, RefusesABiasThatItWouldClip) {
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "fc.b").params.params[2].scale = 1e-9F; }),
            "plan for tensor 'fc.b': element 2, 3, does not fit int32 at scale 1e-09");
}

TEST(ApplyPlan, RefusesASharerThatDiffersFromItsSource) {
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "r").params.params[0].scale = 0.5F; }),
            "plan for tensor 'p': it has the integers of 'r', so type, scale and zero point must be equal");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "p").type.bits = 7; }),
            "plan for tensor 'p': it has the integers of 'r', so type, scale and zero point must be equal");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "p").shares_with = "input"; }),
            "plan for tensor 'p': it cannot have the integers of 'input'");
  EXPECT_EQ(after([](QuantPlan& p) { decision(p, "r").shares_with = "input"; }),
            "plan for tensor 'r': it cannot have the integers of 'input'");
}

TEST(ApplyPlan, RefusesAnotherGraphsWeights) {
  Graph graph = network();
  replace(graph, "fc.w", Tensor::of<float>({3, 2}, {1, 2, 3, 4, NAN, 6}));
  EXPECT_EQ(apply_plan(graph, plan_of()).status().message(), "plan for tensor 'fc.w': element 4 is nan");
  replace(graph, "fc.w", Tensor(ElementType::kFloat64, {3, 2}));
  EXPECT_EQ(apply_plan(graph, plan_of()).status().message(),
            "plan for tensor 'fc.w': a float32 tensor is needed, not float64");
  graph.nodes[0].inputs[0] = 99;
  EXPECT_FALSE(apply_plan(graph, plan_of()).ok());
}

TEST(ApplyPlan, RefusesAnInputWithoutAShape) {
  Graph graph = network();
  graph.value(graph.inputs[0]).dims.reset();
  EXPECT_EQ(apply_plan(graph, plan_of()).status().message(), "input 'input' has no shape");
}

}  // namespace
}  // namespace zeropoint::toolchain
