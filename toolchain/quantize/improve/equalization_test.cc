#include "quantize/improve/equalization.h"

#include <gtest/gtest.h>

#include "float/double_oracle.h"
#include "quantize/improve/bias_absorption.h"
#include "quantize/improve/layer_pairs.h"
#include "quantize/improve/network_for_test.h"

namespace zeropoint::toolchain {
namespace {

using namespace improve;

ChannelRanges ranges_of_results(const Graph& graph, const std::vector<ValueId>& values,
                                const SampleChunks& chunks) {
  ChannelRanges all;
  for (ValueId value : values) {
    std::vector<float> elements = values_of(graph, graph.value(value).name, chunks);
    std::vector<RealRange>& ranges = all[value];
    ranges.resize(8);
    std::size_t plane = elements.size() / (8 * static_cast<std::size_t>(chunks.samples));
    for (std::size_t i = 0; i < elements.size(); ++i) {
      RealRange& range = ranges[i / plane % 8];
      range = {std::min(range.r_min, elements[i]), std::max(range.r_max, elements[i])};
    }
  }
  return all;
}

/// The largest difference of the outputs of both graphs in double, relative to the largest output.
double difference(const Graph& a, const Graph& b, const SampleChunks& chunks) {
  double largest = 0;
  double apart = 0;
  for (const Tensor& chunk : chunks.inputs[0]) {
    oracle::Reals x = oracle::reals_of(chunk);
    oracle::Reals ya = oracle::evaluate(a, {{a.inputs[0], x}}).at(a.outputs[0]);
    oracle::Reals yb = oracle::evaluate(b, {{b.inputs[0], x}}).at(b.outputs[0]);
    for (std::size_t i = 0; i < ya.data.size(); ++i) {
      largest = std::max(largest, std::fabs(ya.data[i]));
      apart = std::max(apart, std::fabs(ya.data[i] - yb.data[i]));
    }
  }
  return apart / largest;
}

const Tensor& weights(const Graph& graph, const char* name) {
  return *graph.value(graph.find(name)).constant;
}

const LayerNote& note_of(const std::vector<LayerNote>& notes, const std::string& layer) {
  for (const LayerNote& note : notes) {
    if (note.layer == layer) {
      return note;
    }
  }
  ADD_FAILURE() << layer;
  return notes.at(0);
}

TEST(Equalization, ComputesTheSameWithLikeRanges) {
  Graph graph = network(Op::kRelu);
  const Graph original = graph;
  std::vector<LayerNote> notes = equalize(graph, {});
  EXPECT_TRUE(note_of(notes, "Conv 'first'").changed);
  EXPECT_TRUE(note_of(notes, "Conv 'depthwise'").changed);
  EXPECT_EQ(note_of(notes, "Conv 'last'").what, "Flatten behind it is not homogeneous in each channel");
  EXPECT_EQ(note_of(notes, "Gemm 'fc'").what, "its result leaves the graph");
  EXPECT_LT(difference(original, graph, samples(16)), 1e-6);
  for (std::size_t c = 0; c < 8; ++c) {
    auto largest = [](std::span<const float> values) {
      float result = 0;
      for (float v : values) {
        result = std::max(result, std::fabs(v));
      }
      return result;
    };
    float first = largest(weights(graph, "first.w").data<float>().subspan(27 * c, 27));
    float depthwise = largest(weights(graph, "depthwise.w").data<float>().subspan(9 * c, 9));
    float last = 0;
    for (std::size_t m = 0; m < 5; ++m) {
      last = std::max(last, std::fabs(weights(graph, "last.w").data<float>()[8 * m + c]));
    }
    EXPECT_NEAR(first / depthwise, 1, 0.01);
    EXPECT_NEAR(depthwise / last, 1, 0.01);
  }
}

TEST(Equalization, PassesFunctionsThatAreHomogeneousInEachChannel) {
  for (Op op : {Op::kLeakyRelu, Op::kPRelu}) {
    Graph graph = network(Op::kRelu);
    Node& node = graph.nodes[1];
    node.op = op;
    if (op == Op::kPRelu) {
      node.inputs.push_back(graph.add_constant(
          "slopes", Tensor::of<float>({8, 1, 1}, {0.1F, 0.2F, -0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F})));
    }
    const Graph original = graph;
    SampleChunks chunks = samples(16);
    EXPECT_TRUE(note_of(equalize(graph, {}), "Conv 'first'").changed);
    std::vector<float> a = values_of(original, "y", chunks);
    std::vector<float> b = values_of(graph, "y", chunks);
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a[i], b[i], 1e-4 * (1 + std::fabs(a[i])));
    }
  }
}

TEST(Equalization, KeepsChannelsThatReachTheLimitOfAClip) {
  Graph graph = network(Op::kClip);
  const Graph original = graph;
  SampleChunks chunks = samples(40);
  ChannelRanges ranges = ranges_of_results(graph, clipped_layers(graph), chunks);
  ASSERT_EQ(ranges.size(), 1U);
  std::vector<RealRange> range = ranges.begin()->second;
  auto reach = std::count_if(range.begin(), range.end(), [](RealRange r) { return r.r_max >= 6; });
  ASSERT_GT(reach, 0);
  ASSERT_LT(reach, 8);
  std::vector<LayerNote> notes = equalize(graph, ranges);
  EXPECT_TRUE(note_of(notes, "Conv 'first'").changed);
  EXPECT_EQ(graph.nodes[1].op, Op::kClip);
  EXPECT_LT(difference(original, graph, chunks), 1e-6);
  for (std::size_t c = 0; c < 8; ++c) {
    bool same = std::ranges::equal(weights(graph, "first.w").data<float>().subspan(27 * c, 27),
                                   weights(original, "first.w").data<float>().subspan(27 * c, 27));
    EXPECT_EQ(same, range[c].r_max >= 6) << c;
  }
}

TEST(Equalization, MakesAClipThatNoChannelReachesARelu) {
  Graph graph = network(Op::kClip);
  const Graph original = graph;
  SampleChunks chunks = samples(8);
  ChannelRanges ranges = ranges_of_results(graph, clipped_layers(graph), chunks);
  for (RealRange& range : ranges.begin()->second) {
    range.r_max = std::min(range.r_max, 5.9F);
  }
  EXPECT_NE(note_of(equalize(graph, ranges), "Conv 'first'").what.find("became a Relu"), std::string::npos);
  EXPECT_EQ(graph.nodes[1].op, Op::kRelu);
  EXPECT_TRUE(verify(graph).ok());
}

TEST(Equalization, RefusesWithAReason) {
  Graph graph = network(Op::kClip);
  EXPECT_EQ(note_of(equalize(graph, {}), "Conv 'first'").what,
            "how far its channels reach below its Clip is not known");
  graph = network(Op::kSigmoid);
  EXPECT_EQ(note_of(equalize(graph, {}), "Conv 'first'").what,
            "Sigmoid behind it is not homogeneous in each channel");
  graph = network(Op::kRelu);
  graph.outputs.push_back(graph.find("b"));
  EXPECT_EQ(note_of(equalize(graph, {}), "Conv 'first'").what, "its result leaves the graph");
  graph = network(Op::kRelu);
  graph.outputs.push_back(graph.add_node(Op::kSigmoid, "more", {graph.find("a")}, "z"));
  EXPECT_EQ(note_of(equalize(graph, {}), "Conv 'first'").what, "its result is read by 2 nodes");
  graph = network(Op::kRelu);
  graph.nodes[0].inputs[2] = graph.nodes[2].inputs[2];
  EXPECT_EQ(note_of(equalize(graph, {}), "Conv 'first'").what, "its constants are shared");
}

TEST(BiasAbsorption, MovesWhatAChannelIsAlwaysAbove) {
  Graph graph = network(Op::kRelu);
  // The last layer needs a bias to absorb into, and a channel that is never near 0.
  graph.nodes[4].inputs.push_back(graph.add_constant("last.b", Tensor::of<float>({5}, {0, 0, 0, 0, 0})));
  Tensor bias = weights(graph, "depthwise.b");
  bias.data<float>()[3] = 1000;
  graph.value(graph.find("depthwise.b")).constant = std::make_shared<const Tensor>(bias);
  const Graph original = graph;
  SampleChunks chunks = samples(24);
  ChannelRanges ranges = ranges_of_results(graph, rectified_layers(graph), chunks);
  ASSERT_EQ(ranges.size(), 1U);
  std::vector<LayerNote> notes = absorb_high_bias(graph, ranges);
  EXPECT_TRUE(note_of(notes, "Conv 'depthwise'").changed);
  EXPECT_EQ(note_of(notes, "Conv 'first'").what, "the padding behind it would stand for the absorbed part");
  EXPECT_LT(difference(original, graph, chunks), 1e-5);
  EXPECT_NEAR(weights(graph, "depthwise.b").data<float>()[3], 1000 - ranges.begin()->second[3].r_min, 1e-3);
  EXPECT_EQ(note_of(absorb_high_bias(graph, {}), "Conv 'depthwise'").what,
            "the ranges of its channels are not known");
}

}  // namespace
}  // namespace zeropoint::toolchain
