#include "quantize/improve/bias_correction.h"

#include <gtest/gtest.h>

#include "quantize/improve/network_for_test.h"
#include "quantize/improve/quantized_layers.h"

namespace zeropoint::toolchain {
namespace {

using namespace improve;

constexpr const char* kLayers[] = {"a", "c", "e", "y"};  // results of the layers of network()

/// The name of a layer's result in the quantized graph.
std::string copied(const Graph& quantized, const std::string& name) {
  for (const Node& node : quantized.nodes) {
    if (node.op == Op::kConv || node.op == Op::kGemm) {
      const std::string& output = quantized.value(node.outputs[0]).name;
      if (output == name || output == name + "_real") {
        return output;
      }
    }
  }
  ADD_FAILURE() << name;
  return name;
}

/// The differences between the means of the channels of a layer in both graphs.
std::vector<double> mean_errors(const Graph& graph, const Graph& quantized, const std::string& layer,
                                const SampleChunks& chunks) {
  Team team(1);
  std::string copy = copied(quantized, layer);
  std::vector<double> a = expect_ok(channel_means(graph, {{graph.find(layer), 1}}, chunks, team)).at(layer);
  std::vector<double> b =
      expect_ok(channel_means(quantized, {{quantized.find(copy), 1}}, chunks, team)).at(copy);
  for (std::size_t c = 0; c < a.size(); ++c) {
    a[c] = std::fabs(a[c] - b[c]);
  }
  return a;
}

TEST(BiasCorrection, LeavesNoMeanErrorOnTheSamplesItSaw) {
  for (bool per_channel : {true, false}) {
    Graph graph = network();
    const Graph original = graph;
    SampleChunks chunks = samples(50);
    Team team(2);
    QuantPlan plan = plan_of(graph, chunks, 4, per_channel);
    Graph before = expect_ok(apply_plan(graph, plan));
    std::vector<LayerNote> notes = expect_ok(correct_bias(graph, plan, chunks, team));
    ASSERT_EQ(notes.size(), 4U);
    Graph after = expect_ok(apply_plan(graph, plan));
    const char* biases[] = {"first.b", "depthwise.b", "e_bias", "fc.b"};
    for (std::size_t i = 0; i < 4; ++i) {
      std::vector<double> was = mean_errors(original, before, kLayers[i], chunks);
      std::vector<double> is = mean_errors(original, after, kLayers[i], chunks);
      const std::vector<QuantParams>& steps = plan.find(biases[i])->params.params;
      for (std::size_t c = 0; c < is.size(); ++c) {
        // Biases are integers too: half a step of theirs may be left.
        EXPECT_LE(is[c], 0.501 * steps[steps.size() == 1 ? 0 : c].scale + 1e-4) << kLayers[i] << c;
      }
      EXPECT_LT(*std::max_element(is.begin(), is.end()), *std::max_element(was.begin(), was.end()));
    }
    EXPECT_TRUE(std::all_of(notes.begin(), notes.end(), [](const LayerNote& note) { return note.changed; }));
  }
}

TEST(BiasCorrection, GivesALayerWithoutBiasOneInGraphAndPlan) {
  Graph graph = network();
  SampleChunks chunks = samples(20);
  Team team(1);
  QuantPlan plan = plan_of(graph, chunks, 4);
  ASSERT_TRUE(correct_bias(graph, plan, chunks, team).ok());
  const Decision* bias = plan.find("e_bias");
  ASSERT_NE(bias, nullptr);
  EXPECT_EQ(bias->role, TensorRole::kBias);
  EXPECT_EQ(bias->params.params.size(), 5U);
  EXPECT_EQ(bias->params.params[2].scale,
            plan.find("d")->params.params[0].scale * plan.find("last.w")->params.params[2].scale);
  EXPECT_TRUE(verify(graph).ok());
}

TEST(BiasCorrection, DoesNotDependOnTheNumberOfThreads) {
  std::vector<Tensor> biases;
  for (int threads : {1, 3}) {
    Graph graph = network();
    SampleChunks chunks = samples(60);
    Team team(threads);
    QuantPlan plan = plan_of(graph, chunks, 4);
    ASSERT_TRUE(correct_bias(graph, plan, chunks, team).ok());
    biases.push_back(*graph.value(graph.find("fc.b")).constant);
  }
  EXPECT_EQ(biases[0], biases[1]);
}

TEST(BiasCorrection, RefusesAShiftThatWouldNotFitTheAccumulator) {
  Graph graph = network();
  QuantPlan plan = plan_of(graph, samples(20), 4);
  Graph quantized = expect_ok(apply_plan(graph, plan));
  const Tensor before = *graph.value(graph.find("fc.b")).constant;
  QuantizedLayer layer = quantized_layers(graph, quantized, plan).back();
  double step = layer.bias->params.params[0].scale;
  EXPECT_FALSE(expect_ok(shift_bias(graph, quantized, layer, std::vector<double>{0x1p31 * step, 0, 0, 0})));
  EXPECT_EQ(*graph.value(graph.find("fc.b")).constant, before);
  EXPECT_TRUE(expect_ok(shift_bias(graph, quantized, layer, std::vector<double>{0x1p30 * step, 0, 0, 0})));
  EXPECT_FALSE(*graph.value(graph.find("fc.b")).constant == before);
}

TEST(AnalyticBiasCorrection, TakesBackTheErrorOfTheWeightsTimesTheMeanOfTheInput) {
  Graph graph = network();
  SampleChunks chunks = samples(20);
  QuantPlan plan = plan_of(graph, chunks, 4);
  const Tensor weights = *graph.value(graph.find("depthwise.w")).constant;
  const Tensor bias = *graph.value(graph.find("depthwise.b")).constant;
  ChannelMeans means{{"b", {1, 2, 3, 4, 5, 6, 7, 8}}};
  std::vector<LayerNote> notes = expect_ok(correct_bias_by_means(graph, plan, means));
  const TensorParams& params = plan.find("depthwise.w")->params;
  Tensor rounded = expect_ok(dequantize(expect_ok(quantize(weights, params, {4, true})), params));
  for (std::size_t c = 0; c < 8; ++c) {
    double shift = 0;
    for (std::size_t k = 9 * c; k < 9 * c + 9; ++k) {
      shift -= (static_cast<double>(rounded.data<float>()[k]) - weights.data<float>()[k]) *
               (1.0 + static_cast<double>(c));
    }
    EXPECT_NEAR(graph.value(graph.find("depthwise.b")).constant->data<float>()[c],
                bias.data<float>()[c] + shift, 1e-5);
  }
  ASSERT_EQ(notes.size(), 4U);
  EXPECT_FALSE(notes[0].changed);
  EXPECT_EQ(notes[0].what, "no means of its input are known");
  EXPECT_TRUE(notes[1].changed);
}

TEST(ChannelMeans, OfABatchNormAreThoseOfAClippedNormalVariable) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3});
  ValueId gamma = graph.add_constant("gamma", Tensor::of<float>({3}, {2, -1, 0}));
  ValueId beta = graph.add_constant("beta", Tensor::of<float>({3}, {1, -0.5F, 9}));
  ValueId zeros = graph.add_constant("mean", Tensor::of<float>({3}, {0, 0, 0}));
  ValueId ones = graph.add_constant("var", Tensor::of<float>({3}, {1, 1, 1}));
  ValueId n = graph.add_node(Op::kBatchNormalization, "norm", {x, gamma, beta, zeros, ones}, "n");
  ValueId low = graph.add_constant("low", Tensor::of<float>({}, {0.0F}));
  ValueId high = graph.add_constant("high", Tensor::of<float>({}, {6.0F}));
  graph.add_node(Op::kRelu, "relu", {n}, "r");
  graph.outputs = {graph.add_node(Op::kClip, "clip", {n, low, high}, "c")};
  ChannelMeans means = channel_means_of_batch_norms(graph);
  EXPECT_EQ(means.at("n"), (std::vector<double>{1, -0.5, 9}));
  const double scales[] = {2, 1, 0};
  const double shifts[] = {1, -0.5, 9};
  for (std::size_t c = 0; c < 3; ++c) {
    Random random(3, c);
    double relu = 0;
    double clip = 0;
    constexpr int kDraws = 200000;
    for (int i = 0; i < kDraws; ++i) {
      double v = std::max(0.0, shifts[c] + scales[c] * random.normal());
      relu += v / kDraws;
      clip += std::min(v, 6.0) / kDraws;
    }
    EXPECT_NEAR(means.at("r")[c], relu, 0.02) << c;
    EXPECT_NEAR(means.at("c")[c], clip, 0.02) << c;
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
