#include "quantize/improve/layer_walk.h"

#include <gtest/gtest.h>

#include <numeric>

#include "quantize/improve/layer_rows.h"
#include "quantize/improve/layer_sample.h"
#include "quantize/improve/network_for_test.h"

namespace zeropoint::toolchain {
namespace {

using namespace improve;

/// network() with a sum around its depthwise convolution.
Graph branching() {
  Graph graph = network();
  ValueId sum = graph.add_value("sum");
  for (Node& node : graph.nodes) {
    if (node.name == "last") {
      node.inputs[0] = sum;
    }
  }
  graph.nodes.insert(graph.nodes.begin() + 4,
                     Node{Op::kAdd, "add", {graph.find("b"), graph.find("d")}, {sum}, {}});
  EXPECT_TRUE(infer_shapes(graph).ok());
  return graph;
}

TEST(LayerWalk, SeesWhatARunOfTheWholeGraphSees) {
  SampleChunks chunks = samples(30);
  const Graph floats = branching();
  const Graph quantized = expect_ok(apply_plan(floats, plan_of(floats, chunks)));
  for (const Graph* graph : {&floats, &quantized}) {
    Team team(2);
    LayerWalk walk(*graph, chunks, team);
    for (const Node& node : graph->nodes) {
      if (node.op != Op::kConv && node.op != Op::kGemm) {
        continue;
      }
      ASSERT_TRUE(walk.advance(*graph, node.inputs[0]).ok());
      for (ValueId value : {node.inputs[0], node.outputs[0]}) {
        std::vector<std::vector<float>> seen(walk.chunks());
        ASSERT_TRUE(walk.observe(*graph, value,
                                 [&](std::size_t chunk, ValueId id, const Tensor& tensor) {
                                   EXPECT_EQ(id, value);
                                   seen[chunk].assign(tensor.data<float>().begin(),
                                                      tensor.data<float>().end());
                                   return Status();
                                 })
                        .ok());
        std::vector<float> all;
        for (const std::vector<float>& chunk : seen) {
          all.insert(all.end(), chunk.begin(), chunk.end());
        }
        EXPECT_EQ(all, values_of(*graph, graph->value(value).name, chunks)) << graph->value(value).name;
      }
    }
  }
}

TEST(LayerWalk, UsesConstantsThatWereChangedOnTheWay) {
  SampleChunks chunks = samples(10);
  Graph graph = branching();
  Team team(1);
  LayerWalk walk(graph, chunks, team);
  ASSERT_TRUE(walk.advance(graph, graph.find("b")).ok());
  Tensor zeros(ElementType::kFloat32, {8, 1, 3, 3});
  graph.value(graph.find("depthwise.w")).constant = std::make_shared<const Tensor>(zeros);
  std::vector<float> seen;
  ASSERT_TRUE(walk.observe(graph, graph.find("y"),
                           [&](std::size_t, ValueId, const Tensor& tensor) {
                             seen.insert(seen.end(), tensor.data<float>().begin(),
                                         tensor.data<float>().end());
                             return Status();
                           })
                  .ok());
  EXPECT_EQ(seen, values_of(graph, "y", chunks));
}

/// Whether the rows of the node's input times its weights, plus its bias, are its result.
void expect_rows_give_result(const Graph& graph, const Node& node, const SampleChunks& chunks) {
  Team team(1);
  Tensor input;
  std::vector<const std::vector<Tensor>*> inputs{&chunks.inputs[0]};
  Status status =
      run_chunks(graph, inputs, {node.inputs[0]}, team, [&](std::size_t, ValueId, const Tensor& tensor) {
        input = tensor;
        return Status();
      });
  ASSERT_TRUE(status.ok()) << status.message();
  std::vector<float> wanted = values_of(graph, graph.value(node.outputs[0]).name, chunks);
  LayerRows rows = expect_ok(LayerRows::of(graph, node));
  WeightRows weights = WeightRows::of(graph, node);
  std::vector<std::int64_t> all(static_cast<std::size_t>(expect_ok(rows.rows(input.shape()))));
  std::iota(all.begin(), all.end(), 0);
  std::int64_t positions = static_cast<std::int64_t>(all.size()) / input.dim(0);
  for (std::int64_t row = 0; row < weights.rows(); ++row) {
    MatrixF gathered = expect_ok(rows.gather(input, all, row / weights.rows_per_group()));
    for (std::size_t r = 0; r < all.size(); ++r) {
      const Tensor* bias = graph.constant(node, 2);
      double sum = bias == nullptr ? 0 : bias->data<float>()[static_cast<std::size_t>(row)];
      for (std::int64_t column = 0; column < weights.columns(); ++column) {
        sum += static_cast<double>(gathered(static_cast<Eigen::Index>(r), column)) *
               graph.constant(node, 1)->data<float>()[weights.element(row, column)];
      }
      std::int64_t sample = static_cast<std::int64_t>(r) / positions;
      auto at = static_cast<std::size_t>((sample * weights.rows() + row) * positions +
                                         static_cast<std::int64_t>(r) % positions);
      ASSERT_NEAR(wanted[at], sum, 1e-4 * (1 + std::fabs(sum))) << describe(node) << " " << row << " " << r;
    }
  }
}

TEST(LayerRows, TimesTheWeightsAreTheLayersResult) {
  SampleChunks chunks = samples(5);
  Graph graph = network();
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kConv || node.op == Op::kGemm) {
      expect_rows_give_result(graph, node, chunks);
    }
  }
  graph.nodes.resize(3);
  graph.nodes[2].attributes["strides"] = std::vector<std::int64_t>{2, 1};
  graph.nodes[2].attributes["dilations"] = std::vector<std::int64_t>{1, 2};
  graph.outputs = {graph.nodes[2].outputs[0]};
  graph.value(graph.outputs[0]).dims.reset();
  ASSERT_TRUE(infer_shapes(graph).ok());
  expect_rows_give_result(graph, graph.nodes[2], chunks);
}

TEST(WeightRows, OfATransposedConvolutionFollowItsGroups) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {1, 4, 2, 2});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {4, 3, 2, 2}));
  graph.outputs = {graph.add_node(Op::kConvTranspose, "up", {x, w}, "y", {{"group", std::int64_t{2}}})};
  WeightRows rows = WeightRows::of(graph, graph.nodes[0]);
  EXPECT_EQ(rows.rows(), 6);
  EXPECT_EQ(rows.columns(), 8);
  EXPECT_EQ(rows.groups(), 2);
  // [input channel, output channel of the group, tap]
  EXPECT_EQ(rows.element(4, 6), static_cast<std::size_t>((3 * 3 + 1) * 4 + 2));
  EXPECT_EQ(rows.input_channel(4, 6), 3);
  EXPECT_EQ(rows.element(1, 1), static_cast<std::size_t>(1 * 4 + 1));
}

}  // namespace
}  // namespace zeropoint::toolchain
