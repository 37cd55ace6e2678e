#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantize/plan_for_test.h"
#include "zeropoint/requantize.h"
#include "zeropoint/toolchain/lower.h"

namespace zeropoint::toolchain {
namespace {

using namespace plans;

std::string message(const Graph& graph, const Recipe& recipe = {}, const RangeTable& table = ranges()) {
  return make_plan(graph, table, recipe).status().message();
}

/// The message for the network after `change`.
template <typename Change>
std::string after(Change change) {
  Graph graph = network();
  change(graph);
  return message(graph);
}

std::vector<std::string> tensors(const QuantPlan& plan) {
  std::vector<std::string> names;
  for (const Decision& d : plan.decisions) {
    names.push_back(d.tensor);
  }
  return names;
}

TEST(MakePlan, DecidesEachTensorOnceInTheOrderOfTheGraph) {
  EXPECT_EQ(tensors(plan_of()),
            (std::vector<std::string>{"input", "conv.w", "conv.b", "r", "p", "f", "fc.w", "fc.b"}));
  Recipe recipe;
  recipe.output = Recipe::Output::kQuantized;
  EXPECT_EQ(tensors(plan_of(recipe)).back(), "y");
}

TEST(MakePlan, ChoosesActivationsFromTheirRanges) {
  QuantPlan plan = plan_of();
  const Decision& input = decision(plan, "input");
  EXPECT_EQ(input.role, TensorRole::kActivation);
  EXPECT_EQ(input.type, (QuantizedType{8, false}));
  EXPECT_EQ(input.params.params, std::vector{*choose_params(-1, 1, {8, false})});
  EXPECT_EQ(input.reason, "input: [-1, 1] seen by minmax over 7 samples");
  EXPECT_EQ(decision(plan, "r").params.params, std::vector{*choose_params(0, 5.1F, {8, false})});
  EXPECT_EQ(decision(plan, "r").reason, "result of Conv 'conv': [0, 5.1] seen by minmax over 7 samples");
}

TEST(MakePlan, PoolAndFlattenShareTheIntegersOfTheirInput) {
  QuantPlan plan = plan_of();
  EXPECT_EQ(decision(plan, "p").shares_with, "r");
  EXPECT_EQ(decision(plan, "p").reason, "the integers of 'r': max pooling only selects");
  EXPECT_EQ(decision(plan, "f").shares_with, "p");
  EXPECT_EQ(decision(plan, "f").reason, "the integers of 'p': flattening only renames positions");
  EXPECT_EQ(decision(plan, "f").params, decision(plan, "r").params);
}

TEST(MakePlan, WeightsAreSymmetricPerChannelOrPerTensor) {
  QuantPlan plan = plan_of();
  const Decision& conv = decision(plan, "conv.w");
  EXPECT_EQ(conv.role, TensorRole::kWeight);
  EXPECT_EQ(conv.params.granularity, Granularity::per_channel(0));
  EXPECT_EQ(conv.params.params, (std::vector<QuantParams>{{1.0F / 127, 0}, {0.75F / 127, 0}}));
  EXPECT_EQ(conv.reason, "symmetric, one scale per output channel, 0.005906 to 0.007874");
  const Decision& bias = decision(plan, "conv.b");
  EXPECT_EQ(bias.type, (QuantizedType{32, true}));
  float s_in = decision(plan, "input").params.params[0].scale;
  EXPECT_EQ(bias.params.params[1].scale, s_in * conv.params.params[1].scale);
  Recipe recipe;
  recipe.per_channel = false;
  QuantPlan coarse = plan_of(recipe);
  EXPECT_EQ(decision(coarse, "conv.w").params, (TensorParams{Granularity::per_tensor(), {{1.0F / 127, 0}}}));
  EXPECT_EQ(decision(coarse, "conv.w").reason, "symmetric, one scale, 0.007874");
  EXPECT_EQ(decision(coarse, "conv.b").params.granularity, Granularity::per_tensor());
}

TEST(MakePlan, GemmWeightsThatStandTheOtherWayHaveTheirChannelsOnAxisOne) {
  Graph graph = network();
  replace(graph, "fc.w", Tensor::of<float>({2, 3}, {1, 3, 5, -2, -4, -6}));
  graph.nodes.back().attributes["transB"] = std::int64_t{0};
  QuantPlan plan = plan_of({}, graph);
  EXPECT_EQ(decision(plan, "fc.w").params.granularity, Granularity::per_channel(1));
  EXPECT_EQ(decision(plan, "fc.w").params.params, decision(plan_of(), "fc.w").params.params);
}

TEST(MakePlan, BorderBitsAreForInputAndOutputAlone) {
  Recipe recipe;
  recipe.activations = {4, false};
  recipe.border_bits = 8;
  recipe.output = Recipe::Output::kQuantized;
  QuantPlan plan = plan_of(recipe);
  EXPECT_EQ(decision(plan, "input").type.bits, 8);
  EXPECT_EQ(decision(plan, "r").type.bits, 4);
  EXPECT_EQ(decision(plan, "y").type.bits, 8);
  EXPECT_EQ(decision(plan, "y").reason, "output: [1, 9] seen by minmax over 7 samples, widened to contain 0");
  recipe.border_bits = 0;
  EXPECT_EQ(decision(plan_of(recipe), "input").type.bits, 4);
}

TEST(MakePlan, PlainMinMaxTakesTheRangeAsItIs) {
  Recipe recipe;
  recipe.activation_rule = RangeRule::kPlainMinMax;
  recipe.output = Recipe::Output::kQuantized;
  QuantPlan plan = plan_of(recipe);
  EXPECT_EQ(decision(plan, "y").params.params[0].scale, 8.0F / 255);
  EXPECT_EQ(decision(plan, "y").reason, "output: [1, 9] seen by minmax over 7 samples, taken as it is");
  recipe.activation_rule = RangeRule::kContainZero;
  EXPECT_EQ(decision(plan_of(recipe), "y").params.params[0], (QuantParams{9.0F / 255, 0}));
}

TEST(MakePlan, RaisesWeightScalesUnderBiasesThatWouldLeaveInt32) {
  Graph graph = network();
  Tensor w = *graph.value(graph.find("conv.w")).constant;
  std::fill_n(w.data<float>().begin() + 18, 18, 0.0F);  // the second channel is all 0
  replace(graph, "conv.w", std::move(w));
  replace(graph, "conv.b", Tensor::of<float>({2}, {0.5F, 100}));
  QuantPlan plan = plan_of({}, graph);
  const Decision& weights = decision(plan, "conv.w");
  float s_in = decision(plan, "input").params.params[0].scale;
  float floor = kWeightAbsMaxFloor / 127;
  EXPECT_GE(weights.params.params[1].scale, weight_scale_that_holds_bias(100, s_in, floor));
  EXPECT_GT(weights.params.params[1].scale, floor);
  EXPECT_NE(weights.reason.find("; 1 scale(s) raised so that the bias fits the int32 accumulator"),
            std::string::npos);
  Result<Graph> quantized = apply_plan(graph, plan);
  ASSERT_TRUE(quantized.ok()) << quantized.status().message();
  const Tensor& bias = *quantized->value(quantized->find("conv.b_quantized")).constant;
  float scale = decision(plan, "conv.b").params.params[1].scale;
  EXPECT_NEAR(static_cast<float>(bias.data<std::int32_t>()[1]) * scale, 100, 1e-4);
}

// Of either sign, and with room for the products: what the plan raised must also run.
TEST(MakePlan, RaisedScalesLeaveRoomForTheSum) {
  for (float b : {30.0F, -30.0F, 1e6F, -1e6F}) {
    Graph graph = network();
    Tensor w = *graph.value(graph.find("conv.w")).constant;
    std::fill_n(w.data<float>().begin() + 18, 18, 1e-7F);
    replace(graph, "conv.w", std::move(w));
    replace(graph, "conv.b", Tensor::of<float>({2}, {0.5F, b}));
    Result<Graph> quantized = apply_plan(graph, plan_of({}, graph));
    ASSERT_TRUE(quantized.ok()) << b << ": " << quantized.status().message();
    Result<Lowering> program = lower(*quantized, RequantizeMode::kFloat);
    EXPECT_TRUE(program.ok()) << b << ": " << program.status().message();
  }
}

TEST(MakePlan, RaisesTheOneScaleForEachBiasAtATensor) {
  Graph graph = network();
  replace(graph, "conv.b", Tensor::of<float>({2}, {1e9F, 1e8F}));
  Recipe recipe;
  recipe.per_channel = false;
  EXPECT_TRUE(apply_plan(graph, plan_of(recipe, graph)).ok());
}

TEST(MakePlan, RefusesRecipesThatCannotBe) {
  auto with = [](QuantizedType activations, QuantizedType weights, int border) {
    Recipe recipe;
    recipe.activations = activations;
    recipe.weights = weights;
    recipe.border_bits = border;
    return message(network(), recipe);
  };
  const std::string bits = " bits is not supported; use 2 to 8, 16 or 32";
  EXPECT_EQ(with({1, false}, {8, true}, 0), "activations: a quantized type of 1" + bits);
  EXPECT_EQ(with({8, false}, {9, true}, 0), "weights: a quantized type of 9" + bits);
  EXPECT_EQ(with({8, false}, {8, true}, 77), "border bits must be 2 to 8 or 16, not 77");
  EXPECT_EQ(with({32, false}, {8, true}, 0),
            "activations must be of 2 to 8 or 16 bits and not narrow, not uint32");
  EXPECT_EQ(with({8, true, true}, {8, true}, 0),
            "activations must be of 2 to 8 or 16 bits and not narrow, not int8 narrow");
  EXPECT_EQ(with({8, false}, {8, false}, 0), "weights must be signed and of 2 to 8 or 16 bits, not uint8");
  EXPECT_EQ(with({8, false}, {32, true}, 0), "weights must be signed and of 2 to 8 or 16 bits, not int32");
  EXPECT_EQ(with({16, false}, {16, true}, 16), "");
  EXPECT_EQ(with({8, false}, {8, true, true}, 0), "");
}

TEST(MakePlan, NamesTheTensorWithoutARange) {
  RangeTable table = ranges();
  table.ranges.erase("r");
  EXPECT_EQ(message(network(), {}, table), "Conv 'conv': calibration has no range for tensor 'r'");
  EXPECT_EQ(make_plan(network(), table, {}).status().code(), StatusCode::kNotFound);
  table.ranges["r"] = {0, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(message(network(), {}, table),
            "tensor 'r': the range [0.000000, inf] is not finite, so it has no scale");
}

TEST(MakePlan, NamesWeightsThatAreNotFinite) {
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "fc.w", Tensor::of<float>({3, 2}, {1, 2, 3, 4, NAN, 6}));
            }),
            "Gemm 'fc': weights 'fc.w': element 4 is nan");
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "fc.b", Tensor::of<float>({3}, {1, INFINITY, 3}));
            }),
            "Gemm 'fc': bias 1 is inf");
}

/// "Gemm fc: why", the first node that stays in float after `change`.
template <typename Change>
std::string float_after(Change change) {
  Graph graph = network();
  change(graph);
  RangeTable table = ranges();
  table.ranges["z"] = {0, 1};
  Result<QuantPlan> plan = make_plan(graph, table, {});
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  if (!plan.ok() || plan->floats.empty()) {
    return "";
  }
  const FloatNode& first = plan->floats[0];
  return first.op + " " + first.node + ": " + first.reason;
}

TEST(MakePlan, ListsWhatStaysInFloat) {
  EXPECT_EQ(float_after([](Graph& g) { g.nodes.back().attributes["alpha"] = 0.5F; }),
            "Gemm fc: alpha and beta must be 1, transA 0");
  EXPECT_EQ(float_after([](Graph& g) {
              g.nodes.back().inputs[1] = g.add_input("other", ElementType::kFloat32, {3, 2});
            }),
            "Gemm fc: its weights are not constant");
  EXPECT_EQ(float_after([](Graph& g) {
              g.nodes.back().inputs[2] = g.add_input("other", ElementType::kFloat32, {3});
            }),
            "Gemm fc: its bias 'other' is not a float32 constant [3]");
  EXPECT_EQ(float_after([](Graph& g) {
              ValueId bound = g.outputs[0];
              g.outputs = {g.add_node(Op::kClip, "clip", {g.find("f"), bound}, "z")};
            }),
            "Clip clip: its input 'y' is not constant");
  EXPECT_EQ(float_after([](Graph& g) {
              replace(g, "fc.w", Tensor(ElementType::kFloat32, {0, 2}));
              g.nodes.back().inputs.pop_back();
            }),
            "Gemm fc: its weights are float32 [0, 2]");
  const std::string bias = "Gemm fc: its bias 'fc.b' is not a float32 constant [3]";
  EXPECT_EQ(float_after([](Graph& g) { replace(g, "fc.b", Tensor(ElementType::kFloat32, {9, 3})); }), bias);
  EXPECT_EQ(float_after([](Graph& g) { replace(g, "fc.b", Tensor(ElementType::kFloat32, {})); }), bias);
}

TEST(MakePlan, RefusesAGraphOfWhichNothingCanBeQuantized) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2});
  ValueId w = graph.add_input("w", ElementType::kFloat32, {2, 2});
  graph.outputs = {graph.add_node(Op::kGemm, "fc", {x, w}, "y")};
  EXPECT_EQ(message(graph),
            "no operator of the graph can be quantized; Gemm 'fc': its weights are not constant");
}

TEST(MakePlan, AnActivationWhoseInputOthersReadIsATableOfItsOwn) {
  Graph graph = network();
  graph.outputs.push_back(graph.find("c"));
  QuantPlan plan = plan_of({}, graph);
  EXPECT_EQ(decision(plan, "c").reason, "output: [-3, 5] seen by minmax over 7 samples");
  EXPECT_EQ(decision(plan, "r").reason, "result of Relu 'relu': [0, 5.1] seen by minmax over 7 samples");
}

/// The network with a second Gemm over the first one's input.
Graph with_second_gemm(const char* weights, const char* bias) {
  Graph g = network();
  g.add_constant("own", Tensor::of<float>({3, 2}, {10, 2, 3, 4, 5, 60}));
  g.outputs.push_back(g.add_node(Op::kGemm, "again", {g.find("f"), g.find(weights), g.find(bias)}, "z",
                                 {{"transB", std::int64_t{1}}}));
  return g;
}

TEST(MakePlan, LayersMayShareTheirWeights) {
  QuantPlan plan = plan_of({}, with_second_gemm("fc.w", "fc.b"));
  EXPECT_EQ(plan.decisions.size(), plan_of().decisions.size());
  EXPECT_EQ(decision(plan, "fc.b").params, decision(plan_of(), "fc.b").params);
}

TEST(MakePlan, ABiasOfTwoLayersMustBeSeparatedFirst) {
  Graph graph = with_second_gemm("own", "fc.b");
  EXPECT_EQ(message(graph), "Gemm 'again': bias 'fc.b' is shared with another layer");
  separate_constants(graph);
  QuantPlan plan = plan_of({}, graph);
  EXPECT_NE(decision(plan, "fc.b").params, decision(plan, "fc.b_2").params);
  EXPECT_TRUE(apply_plan(graph, plan).ok());
}

TEST(MakePlan, PrintsOneLinePerDecision) {
  std::string text = print(plan_of());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
  EXPECT_NE(text.find("conv.w             weight     int8        2 values      0  symmetric"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace zeropoint::toolchain
