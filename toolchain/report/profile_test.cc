#include "zeropoint/toolchain/profile.h"

#include <gtest/gtest.h>

#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;

Profile profiled(const Graph& graph, const Shape& input = {}) {
  Result<Profile> result = profile(graph, input);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *result : Profile{};
}

const LayerProfile& layer(const Profile& profile, std::string_view name) {
  static const LayerProfile none{};
  for (const LayerProfile& found : profile.layers) {
    if (found.name == name) {
      return found;
    }
  }
  ADD_FAILURE() << name;
  return none;
}

TEST(Profile, CountsLeNet) {
  Profile lenet = profiled(*make_architecture("lenet"));
  EXPECT_EQ(lenet.parameters, 44426);
  EXPECT_EQ(lenet.weights, 44190);
  EXPECT_EQ(lenet.channels, 6 + 16 + 120 + 84 + 10);
  EXPECT_EQ(lenet.multiply_adds, 281640);
  EXPECT_EQ(lenet.model_bytes(32), 177704);
  EXPECT_EQ(lenet.model_bytes(8), 44190 + 236 * 4 + 236 * 4);
  EXPECT_EQ(lenet.model_bytes(4), 44190 / 2 + 236 * 8);
  EXPECT_EQ(lenet.model_bytes(3), (44190 * 3 + 7) / 8 + 236 * 8);
  EXPECT_EQ(layer(lenet, "conv1").multiply_adds, 24 * 24 * 6 * 25);
  EXPECT_EQ(layer(lenet, "conv1").parameters, 156);
  EXPECT_EQ(layer(lenet, "conv2").multiply_adds, 8 * 8 * 16 * 150);
  EXPECT_EQ(layer(lenet, "fc1").parameters, 256 * 120 + 120);
  EXPECT_EQ(layer(lenet, "fc1").flops, 2 * 256 * 120);
  EXPECT_EQ(layer(lenet, "maxpool1").flops, 6 * 12 * 12 * 3);
  EXPECT_EQ(layer(lenet, "relu3").flops, 120);
  EXPECT_EQ(layer(lenet, "flatten").flops, 0);
  EXPECT_EQ(layer(lenet, "conv2").output, (Shape{1, 16, 8, 8}));
  EXPECT_EQ(lenet.peak_activations, 2 * 6 * 24 * 24);  // conv1 and the ReLU behind it
}

TEST(Profile, ABatchMultipliesWhatRunsAndNotWhatIsStored) {
  Graph graph = *make_architecture("lenet");
  Profile one = profiled(graph);
  Profile three = profiled(graph, {3, 1, 28, 28});
  EXPECT_EQ(three.parameters, one.parameters);
  EXPECT_EQ(three.model_bytes(8), one.model_bytes(8));
  EXPECT_EQ(three.multiply_adds, 3 * one.multiply_adds);
  EXPECT_EQ(three.flops, 3 * one.flops);
  EXPECT_EQ(three.activations, 3 * one.activations);
  EXPECT_EQ(three.peak_activations, 3 * one.peak_activations);
}

/// x [N, 4, 6, 6] -> Conv 8 channels in 2 groups, 3x3, stride 2 -> c [N, 8, 2, 2]
Graph grouped() {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 4, Dim("H"), Dim("W")});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {8, 2, 3, 3}));
  graph.outputs = {
      graph.add_node(Op::kConv, "conv", {x, w}, "c", {{"group", std::int64_t{2}}, {"strides", Ints{2, 2}}})};
  return graph;
}

TEST(Profile, CountsGroupedConvolutionsAtOtherInputShapes) {
  Profile small = profiled(grouped(), {1, 4, 6, 6});
  EXPECT_EQ(small.parameters, 144);
  EXPECT_EQ(small.multiply_adds, 8 * 4 * (2 * 9));
  EXPECT_EQ(small.channels, 8);
  Profile large = profiled(grouped(), {2, 4, 7, 9});
  EXPECT_EQ(large.multiply_adds, 2 * 8 * 3 * 4 * 18);
  EXPECT_EQ(large.layers[0].output, (Shape{2, 8, 3, 4}));
}

TEST(Profile, CountsGemmWeightsThatStandEitherWay) {
  for (std::int64_t turned : {0, 1}) {
    Graph graph;
    ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 5});
    ValueId w =
        graph.add_constant("w", Tensor(ElementType::kFloat32, turned != 0 ? Shape{3, 5} : Shape{5, 3}));
    graph.outputs = {graph.add_node(Op::kGemm, "fc", {x, w}, "y", {{"transB", turned}})};
    EXPECT_EQ(profiled(graph).multiply_adds, 15);
    EXPECT_EQ(profiled(graph).channels, 3);
  }
}

TEST(Profile, AQuantizedGraphCountsAsTheFloatOne) {
  Graph graph = *make_architecture("lenet");
  RangeTable ranges{"hand", 1, "", {}};
  for (const Value& value : graph.values) {
    ranges.ranges[value.name] = {-1, 1};
  }
  Profile real = profiled(graph);
  for (int bits : {8, 4, 2}) {
    for (bool is_signed : {true, false}) {
      Recipe recipe;
      recipe.activations = {bits, is_signed};
      recipe.output = bits == 4 ? Recipe::Output::kQuantized : Recipe::Output::kAccumulator;
      Profile quantized = profiled(*apply_plan(graph, *make_plan(graph, ranges, recipe)));
      ASSERT_EQ(quantized.layers.size(), real.layers.size()) << bits;
      for (std::size_t i = 0; i < real.layers.size(); ++i) {
        EXPECT_EQ(quantized.layers[i].name, real.layers[i].name);
        EXPECT_EQ(quantized.layers[i].flops, real.layers[i].flops);
        EXPECT_EQ(quantized.layers[i].parameters, real.layers[i].parameters);
      }
      EXPECT_EQ(quantized.parameters, real.parameters);
      EXPECT_EQ(quantized.model_bytes(8), real.model_bytes(8));
      EXPECT_EQ(quantized.multiply_adds, real.multiply_adds);
      EXPECT_EQ(quantized.activations, real.activations);
      EXPECT_EQ(quantized.peak_activations, real.peak_activations);
    }
  }
}

TEST(Profile, AClipOfTheNetworkCounts) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 5});
  ValueId low = graph.add_constant("low", Tensor::of<float>({}, {0}));
  ValueId high = graph.add_constant("high", Tensor::of<float>({}, {6}));
  graph.outputs = {graph.add_node(Op::kClip, "relu6", {x, low, high}, "y")};
  EXPECT_EQ(profiled(graph).flops, 5);
}

// x [8] -> a [8] -> b [2] (reads a) -> c [8] (reads a again): at c, a, b and c are alive; x is not.
TEST(Profile, PeakCountsWhatIsAliveAtOnce) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {1, 8});
  ValueId a = graph.add_node(Op::kRelu, "a", {x}, "a");
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {8, 2}));
  ValueId b = graph.add_node(Op::kGemm, "b", {a, w}, "b");
  ValueId c = graph.add_node(Op::kRelu, "c", {a}, "c");
  graph.outputs = {b, c};
  EXPECT_EQ(profiled(graph).peak_activations, 8 + 2 + 8);
  EXPECT_EQ(profiled(graph).activations, 8 + 2 + 8);
  graph.outputs = {c};  // b is dropped as soon as it is made
  EXPECT_EQ(profiled(graph).peak_activations, 16);
}

TEST(Profile, RefusesShapesThatDoNotFit) {
  EXPECT_EQ(profile(*make_architecture("lenet"), {1, 3, 28, 28}).status().message().substr(0, 13),
            "Conv 'conv1':");
  EXPECT_EQ(profile(*make_architecture("lenet"), {1, 1, 32, 32}).status().message().substr(0, 11),
            "Gemm 'fc1':");
  EXPECT_EQ(
      profile(*make_architecture("lenet"), {std::int64_t{1} << 60, 1, 28, 28}).status().message(),
      "tensor 'input': shape [1152921504606846976, 1, 28, 28] has more elements than 63 bits can count");
  EXPECT_EQ(profile(*make_architecture("lenet"), {std::int64_t{1} << 50, 1, 28, 28}).status().code(),
            StatusCode::kUnsupported);
  Graph graph = grouped();
  graph.value(graph.inputs[0]).dims.reset();
  EXPECT_EQ(profile(graph).status().message(), "input 'x' has no shape");
}

}  // namespace
}  // namespace zeropoint::toolchain
