#include "calibrate/channel_axes.h"

#include <gtest/gtest.h>

namespace zeropoint::toolchain {
namespace {

std::int64_t axis_of(const Graph& graph, const char* name) {
  return channel_axes(graph)[static_cast<std::size_t>(graph.find(name))];
}

TEST(ChannelAxes, AreWhatLayersRead) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3, 4, 4});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {5, 3, 1, 1}));
  ValueId c = graph.add_node(Op::kConv, "conv", {x, w}, "c");
  ValueId r = graph.add_node(Op::kRelu, "relu", {c}, "r");
  ValueId p = graph.add_node(Op::kGlobalAveragePool, "pool", {r}, "p");
  ValueId f = graph.add_node(Op::kFlatten, "flatten", {p}, "f");
  ValueId v = graph.add_constant("v", Tensor(ElementType::kFloat32, {5, 2}));
  ValueId g = graph.add_node(Op::kGemm, "gemm", {f, v}, "g");
  graph.outputs = {graph.add_node(Op::kSoftmax, "softmax", {g}, "y")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  for (const char* name : {"x", "c", "r", "p", "f", "g", "y"}) {
    EXPECT_EQ(axis_of(graph, name), 1) << name;
  }
  EXPECT_EQ(axis_of(graph, "w"), -1);
}

TEST(ChannelAxes, OfProductsAreTheAxesThatAreSummedOver) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 7, 6});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {6, 8}));
  ValueId q = graph.add_node(Op::kMatMul, "q", {x, w}, "q");
  ValueId k = graph.add_node(Op::kMatMul, "k", {x, w}, "k");
  ValueId t = graph.add_node(Op::kTranspose, "t", {k}, "t", {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  ValueId scores = graph.add_node(Op::kMatMul, "scores", {q, t}, "scores");
  ValueId s = graph.add_node(Op::kSigmoid, "sigmoid", {scores}, "s");
  graph.outputs = {graph.add_node(Op::kMatMul, "out", {s, q}, "out")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  EXPECT_EQ(axis_of(graph, "x"), 2);
  EXPECT_EQ(axis_of(graph, "k"), 2);       // as it is made
  EXPECT_EQ(axis_of(graph, "t"), 1);       // as the second operand
  EXPECT_EQ(axis_of(graph, "scores"), 2);  // through Sigmoid
  EXPECT_EQ(axis_of(graph, "s"), 2);
  EXPECT_EQ(axis_of(graph, "out"), 2);
}

TEST(ChannelAxes, FollowATransposedOperandOfGemm) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {6, 3});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {6, 8}));
  graph.outputs = {graph.add_node(Op::kGemm, "gemm", {x, w}, "y", {{"transA", std::int64_t{1}}})};
  ASSERT_TRUE(infer_shapes(graph).ok());
  EXPECT_EQ(axis_of(graph, "x"), 0);
  EXPECT_EQ(axis_of(graph, "y"), 1);
}

}  // namespace
}  // namespace zeropoint::toolchain
