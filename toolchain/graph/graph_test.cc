#include "zeropoint/toolchain/graph.h"

#include <gtest/gtest.h>

namespace zeropoint::toolchain {
namespace {

/// x[N,3,8,8] -> Conv(w[4,3,3,3], b) -> Relu -> MaxPool 2 -> Flatten
Graph small_network(Attributes conv_attributes = {}) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3, 8, 8});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {4, 3, 3, 3}));
  ValueId b = graph.add_constant("b", Tensor(ElementType::kFloat32, {4}));
  ValueId c = graph.add_node(Op::kConv, "conv", {x, w, b}, "c", std::move(conv_attributes));
  ValueId r = graph.add_node(Op::kRelu, "relu", {c}, "r");
  ValueId p = graph.add_node(
      Op::kMaxPool, "pool", {r}, "p",
      {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"strides", std::vector<std::int64_t>{2, 2}}});
  graph.outputs = {graph.add_node(Op::kFlatten, "flatten", {p}, "y")};
  return graph;
}

std::string inferred(Attributes conv_attributes, std::string_view value) {
  Graph graph = small_network(std::move(conv_attributes));
  Status status = infer_shapes(graph);
  return status.ok() ? to_string(*graph.value(graph.find(value)).dims) : status.message();
}

using Ints = std::vector<std::int64_t>;

TEST(Graph, InfersShapesWithASymbolicBatch) {
  EXPECT_EQ(inferred({}, "c"), "[N, 4, 6, 6]");
  EXPECT_EQ(inferred({}, "y"), "[N, 36]");
  EXPECT_EQ(inferred({{"pads", Ints{1, 1, 1, 1}}}, "c"), "[N, 4, 8, 8]");
  EXPECT_EQ(inferred({{"strides", Ints{2, 3}}}, "c"), "[N, 4, 3, 2]");
  EXPECT_EQ(inferred({{"dilations", Ints{2, 2}}}, "c"), "[N, 4, 4, 4]");
  EXPECT_EQ(inferred({{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}, "c"),
            "[N, 4, 4, 4]");
}

TEST(Graph, SaysWhichNodeDoesNotFit) {
  EXPECT_EQ(inferred({{"group", std::int64_t{2}}}, "c"),
            "Conv 'conv': weights [4, 3, 3, 3] in 2 group(s) do not fit input [N, 3, 8, 8]");
  EXPECT_EQ(inferred({{"strides", Ints{0, 1}}}, "c"),
            "Conv 'conv': attribute strides is [0, 1]; 2 values of 1 or more are needed");
  EXPECT_EQ(inferred({{"dilations", Ints{9, 9}}}, "c"),
            "Conv 'conv': the window reaches over 19 elements but input [8, 8] has 8 with padding");
  EXPECT_EQ(inferred({{"auto_pad", std::string("SOMETIMES")}}, "c").substr(0, 46),
            "Conv 'conv': attribute auto_pad is 'SOMETIMES'");
}

/// The output's shape, or the message, of a Gemm of x [N, 3] and w [3, 4] with a bias of shape `c`.
std::string inferred_gemm(Shape c, ElementType type = ElementType::kFloat32) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {3, 4}));
  ValueId bias = graph.add_constant("c", Tensor(type, std::move(c)));
  graph.outputs = {graph.add_node(Op::kGemm, "fc", {x, w, bias}, "y")};
  Status status = infer_shapes(graph);
  return status.ok() ? to_string(*graph.value(graph.outputs[0]).dims) : status.message();
}

TEST(Graph, GemmTakesABiasThatBroadcasts) {
  for (const Shape& shape : {Shape{}, {1}, {4}, {1, 1}, {1, 4}, {7, 1}, {7, 4}}) {
    EXPECT_EQ(inferred_gemm(shape), "[N, 4]");
  }
  EXPECT_EQ(inferred_gemm({3}), "Gemm 'fc': bias [3] does not fit the product [N, 4]");
  EXPECT_EQ(inferred_gemm({1, 1, 4}), "Gemm 'fc': bias [1, 1, 4] does not fit the product [N, 4]");
  EXPECT_EQ(inferred_gemm({4}, ElementType::kFloat64), "Gemm 'fc': tensor 'c' is float64; float32 is needed");
}

/// The message for a x [2, 6] with scale and zero point of the given types and shapes.
std::string inferred_quantization(Op op, const Tensor& x, const Tensor& scale, const Tensor& zero_point,
                                  std::int64_t block) {
  Graph graph;
  std::vector<ValueId> inputs{graph.add_constant("x", x), graph.add_constant("s", scale),
                              graph.add_constant("z", zero_point)};
  graph.outputs = {graph.add_node(op, "q", inputs, "y", {{"block_size", block}})};
  return infer_shapes(graph).message();
}

TEST(Graph, ZeroPointsAreOfTheQuantizedType) {
  Tensor x(ElementType::kFloat32, {2, 6});
  Tensor q(ElementType::kInt8, {2, 6});
  Tensor s(ElementType::kFloat32, {6});
  EXPECT_EQ(inferred_quantization(Op::kQuantizeLinear, x, s, Tensor(ElementType::kUint8, {6}), 0), "");
  EXPECT_EQ(inferred_quantization(Op::kQuantizeLinear, x, s, Tensor(ElementType::kFloat64, {6}), 0),
            "QuantizeLinear 'q': tensor 'z' is float64; int8 is needed");
  EXPECT_EQ(inferred_quantization(Op::kDequantizeLinear, q, s, Tensor(ElementType::kInt8, {6}), 0), "");
  EXPECT_EQ(inferred_quantization(Op::kDequantizeLinear, q, s, Tensor(ElementType::kUint8, {6}), 0),
            "DequantizeLinear 'q': tensor 'z' is uint8; int8 is needed");
  EXPECT_EQ(inferred_quantization(Op::kDequantizeLinear, q, s, Tensor(ElementType::kInt8, {1}), 0),
            "DequantizeLinear 'q': scale [6] and zero point [1] differ in shape");
  Tensor blocks(ElementType::kFloat32, {2, 2});
  for (std::int64_t block : {4, 5}) {
    EXPECT_EQ(
        inferred_quantization(Op::kDequantizeLinear, q, blocks, Tensor(ElementType::kInt8, {2, 2}), block),
        "");
  }
  EXPECT_EQ(inferred_quantization(Op::kDequantizeLinear, q, blocks, Tensor(ElementType::kInt8, {2, 2}),
                                  std::int64_t{1} << 62)
                .substr(0, 60),
            "DequantizeLinear 'q': scale [2, 2] does not fit input [2, 6]");
}

TEST(Graph, ExtentsThatWouldOverflowAreRefused) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_EQ(inferred({{"group", kHuge}}, "c").substr(0, 13), "Conv 'conv': ");
  Graph graph = small_network();
  graph.value(graph.inputs[0]).dims = Dims{1, 3, kHuge, 8};
  EXPECT_EQ(infer_shapes(graph).message(),
            "Conv 'conv': input [1, 3, 4611686018427387904, 8] has a spatial extent beyond 2^31");
}

TEST(Graph, ElementsThatNoMachineHoldsAreNotCounted) {
  Value value;
  value.dims = Dims{Dim(std::int64_t{1} << 40), Dim(std::int64_t{1} << 40)};
  EXPECT_EQ(known_elements(value), 0);
  value.dims = Dims{2, 3};
  EXPECT_EQ(known_elements(value), 6);
}

TEST(Graph, CeilModeDropsAWindowThatWouldStartInThePadding) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {1, 1, 5, 4});
  graph.outputs = {graph.add_node(Op::kMaxPool, "pool", {x}, "y",
                                  {{"kernel_shape", Ints{1, 2}},
                                   {"strides", Ints{2, 2}},
                                   {"pads", Ints{0, 1, 0, 1}},
                                   {"ceil_mode", std::int64_t{1}}})};
  ASSERT_TRUE(infer_shapes(graph).ok());
  EXPECT_EQ(to_string(*graph.value(graph.outputs[0]).dims), "[1, 1, 3, 3]");
}

TEST(Graph, VerifyAcceptsAndRefuses) {
  EXPECT_TRUE(verify(small_network()).ok());

  Graph unordered = small_network();
  std::swap(unordered.nodes[0], unordered.nodes[1]);
  EXPECT_EQ(verify(unordered).message(), "Relu 'relu' uses tensor 'c' before anything makes it");

  Graph twice = small_network();
  twice.nodes[1].outputs = {twice.find("c")};
  EXPECT_EQ(verify(twice).message(), "Relu 'relu' makes tensor 'c' a second time");

  Graph starved = small_network();
  starved.nodes[0].inputs.resize(1);
  EXPECT_EQ(verify(starved).message(), "Conv 'conv' has 1 inputs; 2 to 3 are needed");

  Graph misspelt = small_network({{"stride", Ints{1, 1}}});
  EXPECT_EQ(verify(misspelt).message(), "Conv 'conv' has attribute 'stride', which is not known here");

  Graph same_name = small_network();
  same_name.values[2].name = "w";
  EXPECT_EQ(verify(same_name).message(), "tensor name 'w' is empty or used twice");
}

TEST(Graph, FindsOperatorsByName) {
  EXPECT_EQ(find_op("Conv"), Op::kConv);
  EXPECT_EQ(name_of(Op::kQuantizeLinear), "QuantizeLinear");
  EXPECT_FALSE(find_op("conv").has_value());
  EXPECT_FALSE(find_op("Conv", "com.microsoft").has_value());
}

TEST(Graph, KnowsItsEdges) {
  Graph graph = small_network();
  EXPECT_EQ(producers(graph)[static_cast<std::size_t>(graph.find("r"))], 1);
  EXPECT_EQ(producers(graph)[static_cast<std::size_t>(graph.find("w"))], -1);
  EXPECT_EQ(consumers(graph)[static_cast<std::size_t>(graph.find("c"))], std::vector<std::int32_t>{1});
}

}  // namespace
}  // namespace zeropoint::toolchain
