// Every form that an operator has in opsets 7 on is written, passes ONNX's checker, and computes the same
// when it is read again; what an opset cannot say is an error that names the first opset that can.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "export/onnx_checker_for_test.h"
#include "export/onnx_forms.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;
using Type = ElementType;

Tensor ints(const Ints& values) {
  return Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}
Tensor number(float value) { return Tensor::of<float>({}, std::vector{value}); }
Tensor floats(const Shape& shape, float value = 1) {
  Tensor tensor(Type::kFloat32, shape);
  std::fill(tensor.data<float>().begin(), tensor.data<float>().end(), value);
  return tensor;
}

struct Case {
  Op op;
  std::vector<Shape> inputs;
  std::vector<std::optional<Tensor>> constants;
  Attributes attributes;
  std::int64_t oldest;  // opset that can say it
  Type type = Type::kFloat32;
  std::size_t outputs = 1;
};

Graph graph_of(const Case& c) {
  Graph graph;
  graph.name = "graph";
  Node node{c.op, "node", {}, {}, c.attributes};
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    node.inputs.push_back(graph.add_input(fmt::format("x{}", i), c.type, dims_of(c.inputs[i])));
  }
  for (std::size_t i = 0; i < c.constants.size(); ++i) {
    node.inputs.push_back(c.constants[i] ? graph.add_constant(fmt::format("c{}", i), *c.constants[i])
                                         : kNoValue);
  }
  for (std::size_t i = 0; i < c.outputs; ++i) {
    node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
  }
  graph.outputs = node.outputs;
  graph.nodes.push_back(node);
  EXPECT_EQ(infer_shapes(graph).message(), "") << name_of(c.op);
  return graph;
}

std::vector<Tensor> random_inputs(const Graph& graph) {
  std::mt19937 random(1);
  std::vector<Tensor> inputs;
  for (ValueId id : graph.inputs) {
    Tensor tensor(graph.value(id).type, shape_of(*graph.value(id).dims, 1));
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      auto value = static_cast<int>(random() % 21) - 10;
      if (tensor.type() == Type::kFloat32) {
        tensor.data<float>()[i] = static_cast<float>(value) / 4;
      } else {
        visit_integer(tensor.type(),
                      [&](auto e) { tensor.data<decltype(e)>()[i] = static_cast<decltype(e)>(value); });
      }
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

std::vector<Tensor> outputs_of(const Graph& graph) {
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  if (!executor.ok()) {
    return {};
  }
  Result<std::vector<Tensor>> outputs = executor->run(random_inputs(graph));
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? *outputs : std::vector<Tensor>{};
}

/// The same bits; or where a formula stands for an operator, the same reals but for a few roundings.
void expect_same(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected, bool bits) {
  if (bits) {
    EXPECT_EQ(actual, expected);
    return;
  }
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].shape(), expected[i].shape());
    for (std::size_t k = 0; k < static_cast<std::size_t>(actual[i].size()); ++k) {
      EXPECT_NEAR(actual[i].data<float>()[k], expected[i].data<float>()[k], 2e-6F);
    }
  }
}

void expect_said(const Graph& graph, const std::vector<Tensor>& expected, std::int64_t opset) {
  Result<std::string> content = to_onnx(graph, opset);
  ASSERT_TRUE(content.ok()) << content.status().message();
  if (opset <= kNewestChecked) {
    EXPECT_EQ(complaint_about(*content), "");
  }
  Result<Graph> read = read_onnx(std::as_bytes(std::span(*content)), "written");
  ASSERT_TRUE(read.ok()) << read.status().message();
  expect_same(outputs_of(*read), expected, read->nodes.size() == graph.nodes.size());
  if (opset == kNewestWritten) {
    EXPECT_EQ(print(*read), print(graph));
  }
}

void expect_forms(const Case& c) {
  SCOPED_TRACE(fmt::format("{} from {}", name_of(c.op), c.oldest));
  Graph graph = graph_of(c);
  std::vector<Tensor> expected = outputs_of(graph);
  for (std::int64_t opset = kOldestWritten; opset <= kNewestWritten; ++opset) {
    SCOPED_TRACE(opset);
    if (opset >= c.oldest) {
      expect_said(graph, expected, opset);
      continue;
    }
    std::string message = to_onnx(graph, opset).status().message();
    std::string start = fmt::format("{} 'node': opset {} cannot say ", name_of(c.op), opset);
    std::string end = fmt::format("; opset {} can", c.oldest);
    EXPECT_TRUE(message.starts_with(start) && message.ends_with(end)) << message;
  }
}

TEST(OnnxOpset, InputsBecomeAttributes) {
  expect_forms({Op::kClip, {{2, 3}}, {number(-1), number(2)}, {}, 7});
  expect_forms({Op::kClip, {{2, 3}}, {std::nullopt, number(2)}, {}, 7});
  expect_forms({Op::kDropout, {{2, 3}}, {number(0.25F)}, {}, 7});
  expect_forms({Op::kReduceMean, {{2, 3, 4}}, {ints({1, -1})}, {{"keepdims", std::int64_t{0}}}, 7});
  expect_forms({Op::kReduceSum, {{2, 3, 4}}, {ints({-2})}, {}, 7});
  expect_forms({Op::kReduceMax, {{2, 3, 4}}, {}, {}, 7});
  expect_forms({Op::kReduceMax, {{2, 3, 4}}, {}, {{"noop_with_empty_axes", std::int64_t{1}}}, 18});
  expect_forms({Op::kSqueeze, {{2, 1, 4}}, {ints({-2})}, {}, 7});
  expect_forms({Op::kUnsqueeze, {{2, 4}}, {ints({-1, 0})}, {}, 7});
  expect_forms({Op::kSlice, {{4, 6}}, {ints({1}), ints({-1}), ints({1})}, {}, 7});
  expect_forms({Op::kSlice, {{4, 6}}, {ints({1}), ints({-1}), ints({1}), ints({2})}, {}, 10});
  expect_forms({Op::kTopK, {{2, 6}}, {ints({3})}, {}, 7, Type::kFloat32, 2});
  expect_forms({Op::kTopK, {{2, 6}}, {ints({3})}, {{"largest", std::int64_t{0}}}, 11, Type::kFloat32, 2});
  expect_forms({Op::kPad, {{2, 3}}, {ints({0, 1, 0, 2}), number(3)}, {}, 7});
  expect_forms({Op::kPad, {{2, 3}}, {ints({1, 2}), number(3), ints({1})}, {}, 18});
  expect_forms({Op::kSplit, {{2, 6}}, {ints({2, 4})}, {{"axis", std::int64_t{-1}}}, 7, Type::kFloat32, 2});
}

TEST(OnnxOpset, FormsThatSayLess) {
  Attributes two{{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}};
  expect_forms({Op::kSplit, {{2, 6}}, {}, two, 7, Type::kFloat32, 2});
  expect_forms({Op::kSplit, {{2, 5}}, {}, two, 18, Type::kFloat32, 2});
  expect_forms({Op::kSoftmax, {{2, 3, 4}}, {}, {}, 7});
  expect_forms({Op::kSoftmax, {{2, 3, 1}}, {}, {{"axis", std::int64_t{1}}}, 7});
  expect_forms({Op::kSoftmax, {{2, 3, 4}}, {}, {{"axis", std::int64_t{1}}}, 13});
  expect_forms({Op::kLogSoftmax, {{2, 3, 4}}, {}, {{"axis", std::int64_t{-1}}}, 7});
  expect_forms({Op::kHardmax, {{2, 3, 4}}, {}, {}, 7});
  expect_forms({Op::kMax, {{2, 3}, {2, 3}}, {}, {}, 7});
  expect_forms({Op::kMax, {{2, 3}, {3}}, {}, {}, 8});
  expect_forms({Op::kGemm, {{2, 3}, {3, 4}}, {}, {}, 11});
  expect_forms({Op::kGemm, {{2, 3}, {3, 4}}, {floats({4})}, {}, 7});
  expect_forms({Op::kConcat, {{2, 3}, {2, 3}}, {}, {{"axis", std::int64_t{-1}}}, 7});
  expect_forms({Op::kFlatten, {{2, 3, 4}}, {}, {{"axis", std::int64_t{-1}}}, 7});
  expect_forms({Op::kScatterElements, {{3}}, {ints({2, 0}), floats({2})}, {}, 9});
  expect_forms(
      {Op::kScatterElements, {{3}}, {ints({2, 0}), floats({2})}, {{"reduction", std::string("add")}}, 16});
  expect_forms(
      {Op::kBatchNormalization, {{2, 3, 4}}, {floats({3}), floats({3}), floats({3}), floats({3})}, {}, 7});
}

TEST(OnnxOpset, ResizeAndUpsample) {
  Attributes before{{"coordinate_transformation_mode", std::string("asymmetric")},
                    {"nearest_mode", std::string("floor")}};
  Tensor doubled = Tensor::of<float>({4}, std::vector<float>{1, 1, 2, 2});
  Tensor halved = Tensor::of<float>({4}, std::vector<float>{1, 1, 0.5F, 0.5F});
  expect_forms({Op::kResize, {{1, 1, 2, 2}}, {std::nullopt, doubled}, before, 7});
  expect_forms({Op::kResize, {{1, 1, 4, 4}}, {std::nullopt, halved}, before, 11});
  expect_forms({Op::kResize, {{1, 1, 2, 2}}, {std::nullopt, doubled}, {}, 11});
  expect_forms({Op::kResize, {{1, 1, 2, 2}}, {std::nullopt, std::nullopt, ints({1, 1, 3, 5})}, {}, 11});
  expect_forms({Op::kResize,
                {{1, 1, 2, 2}},
                {std::nullopt, doubled},
                {{"antialias", std::int64_t{1}}, {"mode", std::string("linear")}},
                18});
}

TEST(OnnxOpset, AttributesThatCameLater) {
  Ints two{2, 2};
  Ints one{1, 1};
  expect_forms({Op::kAveragePool,
                {{1, 1, 5, 5}},
                {},
                {{"kernel_shape", two}, {"ceil_mode", std::int64_t{1}}, {"strides", two}},
                10});
  expect_forms({Op::kAveragePool, {{1, 1, 5, 5}}, {}, {{"kernel_shape", two}, {"dilations", two}}, 19});
  expect_forms({Op::kAveragePool,
                {{1, 1, 5, 5}},
                {},
                {{"kernel_shape", two}, {"dilations", one}, {"ceil_mode", std::int64_t{0}}},
                7});
  expect_forms({Op::kMaxPool, {{1, 1, 5, 5}}, {}, {{"kernel_shape", two}, {"dilations", two}}, 10});
  expect_forms({Op::kMaxPool, {{1, 1, 5, 5}}, {}, {{"kernel_shape", two}}, 7});
  expect_forms(
      {Op::kScatterElements, {{3}}, {ints({2, 0}), floats({2})}, {{"reduction", std::string("max")}}, 18});
  expect_forms({Op::kPad, {{4}}, {ints({1, 1})}, {{"mode", std::string("wrap")}}, 19});
  expect_forms({Op::kShape, {{2, 3}}, {}, {{"start", std::int64_t{1}}}, 15});
  expect_forms({Op::kShape, {{2, 3}}, {}, {}, 7});
  expect_forms({Op::kArgMax, {{2, 3}}, {}, {{"select_last_index", std::int64_t{1}}}, 12});
  expect_forms({Op::kDepthToSpace,
                {{1, 4, 2, 2}},
                {},
                {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}},
                11});
  expect_forms({Op::kReshape, {{2, 3}}, {ints({3, 2})}, {{"allowzero", std::int64_t{1}}}, 14});
  expect_forms({Op::kReshape, {{2, 3}}, {ints({3, 2})}, {{"allowzero", std::int64_t{0}}}, 7});
}

TEST(OnnxOpset, OperatorsThatCameLater) {
  expect_forms({Op::kMatMul, {{2, 3}, {3, 2}}, {}, {}, 7});
  expect_forms({Op::kErf, {{2, 3}}, {}, {}, 9});
  expect_forms({Op::kExpand, {{2, 1}}, {ints({2, 3})}, {}, 8});
  // Spelled out in the opsets before the one that has them.
  expect_forms({Op::kHardSwish, {{2, 3}}, {}, {}, 7});
  expect_forms({Op::kLayerNormalization, {{2, 3}}, {floats({3}), floats({3})}, {}, 7});
  expect_forms({Op::kLayerNormalization, {{2, 3, 2}}, {floats({3, 2})}, {{"axis", std::int64_t{1}}}, 7});
  expect_forms({Op::kMish, {{2, 3}}, {}, {}, 7});
  expect_forms({Op::kGelu, {{2, 3}}, {}, {{"approximate", std::string("tanh")}}, 7});
  expect_forms({Op::kSwish, {{2, 3}}, {}, {}, 7});
  expect_forms({Op::kSwish, {{2, 3}}, {}, {{"alpha", 1.702F}}, 7});
  expect_forms({Op::kRMSNormalization, {{2, 3}}, {floats({3})}, {}, 7});
  expect_forms({Op::kGroupNormalization,
                {{2, 4, 3}},
                {floats({4}), floats({4})},
                {{"num_groups", std::int64_t{2}}},
                21});
}

TEST(OnnxOpset, GeluNeedsErf) {
  Graph graph = graph_of({Op::kGelu, {{2, 3}}, {}, {}, 9});
  for (std::int64_t opset = 9; opset <= kNewestWritten; ++opset) {
    SCOPED_TRACE(opset);
    expect_said(graph, outputs_of(graph), opset);
  }
  EXPECT_EQ(to_onnx(graph, 8).status().message(),
            "Erf 'node_erf': opset 8 cannot say the operator; opset 9 can");
}

// Of an input of unknown rank the axis may be anything; a list of so many axes is not made.
TEST(OnnxOpset, ANormalizationOverMoreAxesThanThereAreIsNotSpelledOut) {
  Graph graph;
  ValueId x = graph.add_value("x");
  graph.inputs = {x};
  ValueId scale = graph.add_constant("scale", floats({3}));
  graph.outputs = {
      graph.add_node(Op::kLayerNormalization, "node", {x, scale}, "y", {{"axis", -(std::int64_t{1} << 40)}})};
  ASSERT_EQ(infer_shapes(graph).message(), "");
  EXPECT_EQ(to_onnx(graph, 13).status().message(),
            "LayerNormalization 'node': opset 13 cannot say the operator; opset 17 can");
}

TEST(OnnxOpset, WhatCameLateIsSpelledOutUnasked) {
  Graph graph = graph_of({Op::kSwish, {{2, 3}}, {}, {}, 7});
  Result<std::string> content = to_onnx(graph);
  ASSERT_TRUE(content.ok()) << content.status().message();
  Result<Graph> read = read_onnx(std::as_bytes(std::span(*content)), "written");
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read->nodes.size(), 2U);
  EXPECT_EQ(read->nodes[0].op, Op::kSigmoid);
}

TEST(OnnxOpset, TypesThatCameLater) {
  expect_forms({Op::kEqual, {{4}, {4}}, {}, {}, 11});
  expect_forms({Op::kLess, {{4}, {4}}, {}, {}, 9, Type::kInt32});
  expect_forms({Op::kAdd, {{4}, {4}}, {}, {}, 14, Type::kUint8});
  expect_forms({Op::kAdd, {{4}, {4}}, {}, {}, 7, Type::kInt32});
  expect_forms({Op::kRelu, {{4}}, {}, {}, 14, Type::kInt8});
  expect_forms({Op::kMaxPool, {{1, 1, 4, 4}}, {}, {{"kernel_shape", Ints{2, 2}}}, 12, Type::kInt8});
  expect_forms({Op::kPad, {{2, 3}}, {ints({0, 1, 0, 2})}, {}, 11, Type::kInt32});
}

TEST(OnnxOpset, Quantization) {
  Tensor zero_point(Type::kInt8, {});
  Tensor zero_points(Type::kInt8, {3});
  expect_forms({Op::kQuantizeLinear, {{2, 3}}, {number(0.5F), zero_point}, {}, 10});
  expect_forms({Op::kQuantizeLinear, {{2, 3}}, {floats({3}), zero_points}, {{"axis", std::int64_t{-1}}}, 13});
  expect_forms(
      {Op::kQuantizeLinear, {{2, 3}}, {number(0.5F), Tensor(Type::kInt16, {})}, {}, 10});  // com.microsoft's
  expect_forms({Op::kQuantizeLinear, {{2, 3}}, {number(0.5F), Tensor(Type::kInt4, {})}, {}, 21});
  expect_forms({Op::kQuantizeLinear,
                {{2, 4}},
                {floats({2, 2}), Tensor(Type::kInt8, {2, 2})},
                {{"axis", std::int64_t{1}}, {"block_size", std::int64_t{2}}},
                21});
  expect_forms({Op::kDequantizeLinear,
                {{2, 3}},
                {floats({3}), zero_points},
                {{"axis", std::int64_t{1}}},
                13,
                Type::kInt8});
  expect_forms({Op::kDequantizeLinear, {{2, 3}}, {number(0.5F)}, {}, 10, Type::kInt32});
}

TEST(OnnxOpset, ConstantsOfFourBitsTakeEightBefore21) {
  Graph graph;
  Tensor integers(Type::kInt4, {4});
  for (std::int8_t i = 0; i < 4; ++i) {
    integers.data<std::int8_t>()[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(3 * i - 8);
  }
  ValueId q = graph.add_constant("q", integers);
  ValueId scale = graph.add_constant("s", number(0.5F));
  ValueId zero = graph.add_constant("z", Tensor(Type::kInt4, {}));
  ValueId w = graph.add_node(Op::kDequantizeLinear, "dequantize", {q, scale, zero}, "w");
  graph.outputs = {graph.add_node(Op::kAdd, "add", {graph.add_input("x", Type::kFloat32, {4}), w}, "y")};
  ASSERT_EQ(infer_shapes(graph).message(), "");
  for (std::int64_t opset : {10, 20, 21}) {
    Result<std::string> content = to_onnx(graph, opset);
    ASSERT_TRUE(content.ok()) << content.status().message();
    Result<Graph> read = read_onnx(std::as_bytes(std::span(*content)), "written");
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read->value(read->find("q")).type, opset < 21 ? Type::kInt8 : Type::kInt4);
    Tensor y = *FloatExecutor::create(*read)->run(floats({4}, 0));
    EXPECT_EQ(y.data<float>()[0], -4);
    EXPECT_EQ(y.data<float>()[3], 0.5F);
  }
}

TEST(OnnxOpset, AComputedInputIsNoAttribute) {
  Graph graph;
  ValueId x = graph.add_input("x", Type::kFloat32, {2, 3});
  ValueId axes = graph.add_input("axes", Type::kInt64, {1});
  graph.outputs = {graph.add_node(Op::kReduceMean, "mean", {x, axes}, "y")};
  EXPECT_EQ(to_onnx(graph, 17).status().message(),
            "ReduceMean 'mean': opset 17 cannot say axes that are computed; opset 18 can");
}

TEST(OnnxOpset, UnknownOpsets) {
  Graph graph = graph_of({Op::kRelu, {{2}}, {}, {}, 7});
  EXPECT_EQ(to_onnx(graph, 6).status().message(), "opset 6 is not written; 7 to 27 are");
  EXPECT_EQ(to_onnx(graph, 99).status().message(), "opset 99 is not written; 7 to 27 are");
}

}  // namespace
}  // namespace zeropoint::toolchain
