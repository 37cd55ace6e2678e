#include "quantize/improve/smooth_quant.h"

#include <gtest/gtest.h>

#include "quantize/improve/network_for_test.h"

namespace zeropoint::toolchain {
namespace {

using namespace improve;

/// x [N, 4, 16] -> LayerNormalization n -> MatMul q, MatMul gate; Sigmoid s of gate; Mul m of q and s ->
/// MatMul down y. Some channels of the gain are large, and some columns of q's weights.
Graph transformer() {
  Random random(4);
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 4, 16});
  Tensor gain = uneven({16}, random, 1, 0);
  gain.data<float>()[3] = 60;
  gain.data<float>()[9] = -40;
  ValueId n = graph.add_node(Op::kLayerNormalization, "norm",
                             {x, graph.add_constant("gain", std::move(gain)),
                              graph.add_constant("shift", uneven({16}, random, 0.1))},
                             "n");
  Tensor weights = uneven({16, 12}, random, 0.3);
  for (std::size_t i = 0; i < 16; ++i) {
    weights.data<float>()[12 * i + 5] *= 50;
  }
  ValueId q = graph.add_node(Op::kMatMul, "q", {n, graph.add_constant("q.w", std::move(weights))}, "q.y");
  ValueId gate = graph.add_node(Op::kMatMul, "gate",
                                {n, graph.add_constant("gate.w", uneven({16, 12}, random, 0.02))}, "gate.y");
  ValueId s = graph.add_node(Op::kSigmoid, "sigmoid", {gate}, "s");
  ValueId m = graph.add_node(Op::kMul, "mul", {q, s}, "m");
  graph.outputs = {graph.add_node(Op::kMatMul, "down",
                                  {m, graph.add_constant("down.w", uneven({12, 3}, random, 0.3))}, "y")};
  EXPECT_TRUE(infer_shapes(graph).ok());
  return graph;
}

double quantized_error(const Graph& graph, const std::vector<float>& wanted, const SampleChunks& chunks) {
  QuantPlan plan = plan_of(graph, chunks);
  return squared_difference(wanted, values_of(expect_ok(apply_plan(graph, plan)), "y", chunks));
}

TEST(SmoothQuant, ComputesTheSameAndLosesLess) {
  Graph graph = transformer();
  const Graph original = graph;
  SampleChunks chunks = samples(40, {4, 16});
  Team team(2);
  std::vector<LayerNote> notes = expect_ok(smooth(graph, chunks, team));
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].layer, "MatMul 'q'");
  EXPECT_TRUE(notes[0].changed) << notes[0].what;
  EXPECT_EQ(notes[1].layer, "MatMul 'down'");
  EXPECT_TRUE(notes[1].changed) << notes[1].what;
  std::vector<float> wanted = values_of(original, "y", chunks);
  std::vector<float> got = values_of(graph, "y", chunks);
  float largest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::fabs(wanted[i]));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(wanted[i], got[i], 1e-5 * largest);
  }
  EXPECT_LT(quantized_error(graph, wanted, chunks), quantized_error(original, wanted, chunks) / 2);
}

TEST(SmoothQuant, RefusesWithAReason) {
  SampleChunks chunks = samples(16, {4, 16});
  Team team(1);
  auto note = [&](Graph graph) { return expect_ok(smooth(graph, chunks, team)).at(0).what; };
  Graph graph = transformer();
  graph.outputs.push_back(graph.find("n"));
  EXPECT_EQ(note(graph), "its input leaves the graph");
  graph = transformer();
  graph.outputs.push_back(graph.add_node(Op::kSigmoid, "more", {graph.find("n")}, "z"));
  EXPECT_EQ(note(graph), "its input, or its weights, are read elsewhere too");
  graph = transformer();
  graph.nodes[0].op = Op::kSoftmax;
  graph.nodes[0].inputs.resize(1);
  EXPECT_EQ(note(graph), "a Softmax before it cannot take a factor");
  graph = transformer();
  graph.nodes.erase(graph.nodes.begin());
  graph.nodes[0].inputs[0] = graph.nodes[1].inputs[0] = graph.inputs[0];
  EXPECT_EQ(note(graph), "nothing makes its input");
}

}  // namespace
}  // namespace zeropoint::toolchain
