#include "zeropoint/toolchain/lower.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compile/qdq_network_for_test.h"
#include "zeropoint/half.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

using namespace qdq;

/// The program of a graph, which must have one.
Lowering lowered(const Graph& graph, RequantizeMode mode = RequantizeMode::kFloat) {
  Result<Lowering> result = lower(graph, mode);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *result : Lowering{};
}

/// What is in float after `change` was made to the network: "Conv 'conv': reason; Relu 'relu': ..."
template <typename Change>
std::string after(Change change) {
  Graph graph = network();
  change(graph);
  std::string text;
  for (const FloatNode& node : lowered(graph).floats) {
    text += (text.empty() ? "" : "; ") + node.op + " '" + node.node + "': " + node.reason;
  }
  return text;
}

template <typename Op>
const Op& operation(const Program& program, std::size_t i) {
  return std::get<Op>(program.operations[i]);
}

TEST(Lower, TurnsANetworkIntoIntegerOperations) {
  Lowering result = lowered(network());
  const Program* program = &result.program;
  ASSERT_EQ(program->operations.size(), 6U);
  EXPECT_TRUE(float_tensors_inside(*program).empty());
  EXPECT_TRUE(result.floats.empty());
  EXPECT_EQ(result.integer_nodes, 5U);
  EXPECT_EQ(operation<QuantizeOp>(*program, 0).to.params, (QuantParams{0.5F, 10}));
  const auto& conv = operation<ConvOp>(*program, 1);
  EXPECT_EQ(conv.input_zero_point, 10);
  EXPECT_EQ(conv.layer.folded_bias, (std::vector<std::int64_t>{100 - 10 * 6, -50 - 10 * 16}));
  EXPECT_EQ(std::get<0>(conv.layer.requantization->multipliers), (std::vector{0.125F, 0.25F}));
  EXPECT_EQ(conv.layer.requantization->zero_point, 5);
  EXPECT_EQ(conv.layer.requantization->clamp, (QuantizedRange{5, 255}));
  EXPECT_EQ(operation<EvaluateOp>(*program, 2).op, Op::kMaxPool);
  EXPECT_EQ(program->tensor(operation<EvaluateOp>(*program, 2).outputs[0]).name, "p_q");
  EXPECT_EQ(program->tensor(operation<EvaluateOp>(*program, 3).outputs[0]).shape, (Shape{kOpenExtent, 8}));
  const auto& gemm = operation<FullyConnectedOp>(*program, 4);
  EXPECT_FALSE(gemm.layer.requantization.has_value());
  EXPECT_EQ(program->tensor(gemm.output).type, ElementType::kInt32);
  EXPECT_EQ(operation<DequantizeOp>(*program, 5).from.scales, std::vector{0.5F});
  EXPECT_EQ(program->tensor(program->outputs[0]).name, "y");
}

// Integers are computed with float32 scales; what is quantized in halves runs as ONNX defines it.
TEST(Lower, ScalesInHalfPrecisionStayWhatTheyAre) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat16, dims_of({3}));
  ValueId scale =
      graph.add_constant("s", narrow(Tensor::of<float>({}, std::vector{0.5F}), ElementType::kFloat16));
  ValueId zero = graph.add_constant("z", Tensor::of<std::uint8_t>({}, std::vector<std::uint8_t>{10}));
  ValueId q = graph.add_node(Op::kQuantizeLinear, "quantize", {x, scale, zero}, "q");
  ValueId real = graph.add_node(Op::kDequantizeLinear, "dequantize", {q, scale, zero}, "d");
  graph.outputs = {graph.add_node(Op::kRelu, "relu", {real}, "y")};
  ASSERT_EQ(infer_shapes(graph).message(), "");
  Lowering result = lowered(graph);
  EXPECT_EQ(result.floats.at(0).reason,
            "QuantizeLinear 'quantize': its scale is float16; integers are computed for float32 ones");
  Tensor input = narrow(Tensor::of<float>({3}, std::vector{1.3F, -2.0F, 1000.0F}), ElementType::kFloat16);
  Result<std::vector<Tensor>> outputs = run_reference(result.program, std::span(&input, 1));
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ(widen((*outputs)[0]), Tensor::of<float>({3}, std::vector{1.5F, 0.0F, 122.5F}));
}

TEST(Lower, FixedPointModeHasFixedPointMultipliers) {
  Program program = lowered(network(), RequantizeMode::kFixedPoint).program;
  EXPECT_EQ(std::get<1>(operation<ConvOp>(program, 1).layer.requantization->multipliers),
            (std::vector{FixedPointMultiplier{1 << 30, 33}, FixedPointMultiplier{1 << 30, 32}}));
}

TEST(Lower, TransposesGemmWeightsThatStandTheOtherWay) {
  Graph straight = network();
  Graph turned = network();
  const Tensor& u = *turned.value(turned.find("u_q")).constant;
  Tensor other(ElementType::kInt8, {8, 3});
  for (std::size_t i = 0; i < 24; ++i) {
    other.data<std::int8_t>()[i] = u.data<std::int8_t>()[i % 3 * 8 + i / 3];
  }
  replace(turned, "u_q", std::move(other));
  node(turned, "gemm").attributes["transB"] = std::int64_t{0};
  Program a = lowered(straight).program;
  Program b = lowered(turned).program;
  EXPECT_EQ(operation<FullyConnectedOp>(a, 4).layer.weights, operation<FullyConnectedOp>(b, 4).layer.weights);
}

TEST(Lower, AGemmsFactorsArePartOfItsConstants) {
  Graph graph = network();
  Node& gemm = node(graph, "gemm");
  gemm.attributes["alpha"] = -2.0F;
  gemm.attributes["beta"] = 3.0F;
  Lowering result = lowered(graph);
  EXPECT_TRUE(result.floats.empty());
  const auto& layer = operation<FullyConnectedOp>(result.program, 4).layer;
  const Tensor& u = *graph.value(graph.find("u_q")).constant;
  std::vector<std::int64_t> bias{2, 3, 4};  // 3 · 0.5 · {1, 2, 3} at scale 1 · 0.5 · 2, halves to even
  for (std::size_t i = 0; i < 24; ++i) {
    int step = -u.data<std::int8_t>()[i];
    EXPECT_EQ(layer.weights.data<std::int8_t>()[i], step);
    bias[i / 8] -= 5 * step;
  }
  EXPECT_EQ(layer.folded_bias, bias);
  EXPECT_EQ(operation<DequantizeOp>(result.program, 5).from.scales, std::vector{1.0F});
  node(graph, "gemm").attributes["alpha"] = 0.0F;
  EXPECT_EQ(lowered(graph).floats.at(0).reason, "input scale 0 times weight scale 0.5 is no normal number");
}

TEST(Lower, AGemmOfTurnedOrComputedOperandsRunsInIntegers) {
  Graph graph;
  ValueId x = quantized(graph, "x", graph.add_input("x", ElementType::kFloat32, {4, 3}), 0.5F, 10);
  ValueId w = constant(graph, "w", Tensor::of<std::int8_t>({4, 2}, {1, -2, 3, 4, -5, 6, 7, 8}), {0.25F}, 0);
  ValueId rows = graph.add_constant("rows", Tensor::of<float>({3, 1}, {10, 20, 30}));
  std::int64_t yes = 1;
  ValueId a = graph.add_node(Op::kGemm, "turned", {x, w, rows}, "a", {{"transA", yes}, {"beta", 2.0F}});
  ValueId b = graph.add_node(Op::kGemm, "square", {x, x}, "b", {{"transA", yes}});
  graph.outputs = {quantized(graph, "a", a, 1, 3), quantized(graph, "b", b, 2, 9)};
  ASSERT_TRUE(infer_shapes(graph).ok());
  Lowering result = lowered(graph);
  EXPECT_TRUE(result.floats.empty());
  EXPECT_TRUE(float_tensors_inside(result.program).empty());
  Tensor input = Tensor::of<float>({4, 3}, {1, 2, -3, 4, 5, -1, 7, 2, 9, 0, 1, 2});
  Result<std::vector<Tensor>> integers = run_reference(result.program, std::span(&input, 1));
  FloatExecutor simulation = *FloatExecutor::create(graph);
  Result<std::vector<Tensor>> reals = simulation.run(std::span(&input, 1));
  ASSERT_TRUE(integers.ok() && reals.ok());
  EXPECT_EQ(*integers, *reals);
}

/// A Clip with the given bounds, absent where they are NaN.
ValueId clip(Graph& graph, ValueId x, float low, float high, const std::string& name = "clip") {
  ValueId l = std::isnan(low) ? kNoValue : scalar(graph, name + "_low", low);
  ValueId h = std::isnan(high) ? kNoValue : scalar(graph, name + "_high", high);
  return graph.add_node(Op::kClip, name, {x, l, h}, name + "_out");
}

/// The clamp of the convolution behind which `activations` stand; a has scale 1 and zero point 5.
QuantizedRange clamp_of(Activations activations) {
  return operation<ConvOp>(lowered(network(activations)).program, 1).layer.requantization->clamp;
}

TEST(Lower, ActivationsNarrowTheClampInAnyOrder) {
  EXPECT_EQ(clamp_of([](Graph&, ValueId x) { return x; }), (QuantizedRange{0, 255}));
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return clip(g, x, -3, 6.4F); }), (QuantizedRange{2, 11}));
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return clip(g, x, NAN, 6); }), (QuantizedRange{0, 11}));
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return clip(g, x, -3, NAN); }), (QuantizedRange{2, 255}));
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return clip(g, relu(g, x), -3, 6); }),
            (QuantizedRange{5, 11}));
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return relu(g, clip(g, x, -3, 6)); }),
            (QuantizedRange{5, 11}));
}

TEST(Lower, ActivationsWhoseBoundsDoNotMeetGiveWhatTheyComputeOneAfterTheOther) {
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return relu(g, clip(g, x, -4, -2)); }),
            (QuantizedRange{5, 5}));
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return clip(g, clip(g, x, 0, 3), 7, 8, "second"); }),
            (QuantizedRange{12, 12}));
  // ONNX: where min exceeds max, every value becomes max.
  EXPECT_EQ(clamp_of([](Graph& g, ValueId x) { return clip(g, x, 6, 2); }), (QuantizedRange{7, 7}));
}

TEST(Lower, ActivationsAtTheInputNarrowItsRange) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2});
  ValueId last = clip(graph, clip(graph, x, 0, 3), 7, 100, "second");
  graph.outputs = {quantized(graph, "x", last, 1, 5)};
  Program program = lowered(graph).program;
  EXPECT_EQ(operation<QuantizeOp>(program, 0).to.range, (QuantizedRange{12, 12}));
  EXPECT_EQ(program.tensor(operation<QuantizeOp>(program, 0).input).name, "x");
}

TEST(Lower, NamesWhatStaysInFloat) {
  EXPECT_EQ(after([](Graph&) {}), "");
  EXPECT_EQ(after([](Graph& g) { node(g, "conv").inputs[0] = g.find("x"); }),
            "Conv 'conv': its input 'x' is not quantized, so its weights are dequantized");
  EXPECT_EQ(after([](Graph& g) { node(g, "gemm").inputs[0] = g.find("f"); }), "");  // a move of integers
  EXPECT_EQ(after([](Graph& g) { g.outputs = {g.add_node(Op::kRelu, "last", {g.outputs[0]}, "z")}; }),
            "Relu 'last': its input 'y' is not quantized");
  EXPECT_EQ(after([](Graph& g) { g.outputs = {g.add_node(Op::kSigmoid, "last", {g.find("f_dq")}, "z")}; }),
            "Sigmoid 'last': its result 'z' is not quantized");
  EXPECT_EQ(after([](Graph& g) { g.outputs.push_back(g.find("x")); }), "");
}

TEST(Lower, AMoveBetweenDifferentParametersGetsATableBeforeIt) {
  for (auto [name, zero] : {std::pair("p_scale", false), std::pair("p_zero", true)}) {
    Graph graph = network();
    if (zero) {
      replace(graph, name, Tensor::of<std::int8_t>({}, {5}));
    } else {
      replace(graph, name, Tensor::of<float>({}, {2}));
    }
    Lowering result = lowered(graph);
    EXPECT_TRUE(result.floats.empty());
    EXPECT_TRUE(float_tensors_inside(result.program).empty());
    EXPECT_EQ(operation<EvaluateOp>(result.program, 2).op, Op::kMaxPool);
    const auto& table = operation<TableOp>(result.program, 3);
    EXPECT_EQ(table.tables.shape(), Shape{256});
  }
}

TEST(Lower, AnActivationThatOthersReadIsComputedForEach) {
  Graph graph = network();
  graph.outputs.push_back(quantized(graph, "other", graph.find("r"), 2, 0));
  Lowering result = lowered(graph);
  EXPECT_TRUE(result.floats.empty());
  EXPECT_TRUE(float_tensors_inside(result.program).empty());
}

TEST(Lower, WeightsOfOtherTypesBecomeSteps) {
  Graph graph = network();
  replace(graph, "w_q", Tensor::of<std::uint8_t>({2, 1, 2, 2}, {0, 255, 128, 3, 4, 5, 6, 7}));
  ValueId zero = graph.add_constant("w_zero", Tensor::of<std::uint8_t>({2}, {128, 0}));
  node(graph, "w_dequantize").inputs.push_back(zero);
  Lowering result = lowered(graph);
  EXPECT_TRUE(result.floats.empty());
  EXPECT_EQ(operation<ConvOp>(result.program, 1).layer.weights,
            Tensor::of<std::int8_t>({2, 1, 2, 2}, {-128, 127, 0, -125, 4, 5, 6, 7}));
  replace(graph, "w_zero", Tensor::of<std::uint8_t>({2}, {128, 200}));
  EXPECT_EQ(operation<ConvOp>(lowered(graph).program, 1).layer.weights,
            Tensor::of<std::int16_t>({2, 1, 2, 2}, {-128, 127, 0, -125, -196, -195, -194, -193}));
}

TEST(Lower, SaysWhyALayerIsNone) {
  EXPECT_EQ(
      after([](Graph& g) {
        node(g, "conv").inputs[1] = g.add_constant("float", Tensor(ElementType::kFloat32, {2, 1, 2, 2}));
      }),
      "Conv 'conv': its operand 'float' is not a quantized constant");
  EXPECT_EQ(after([](Graph& g) { node(g, "w_dequantize").attributes["axis"] = std::int64_t{2}; }),
            "Conv 'conv': its weights have neither one scale nor one per output channel");
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "u_q", Tensor(ElementType::kInt8, {0, 8}));
              node(g, "gemm").inputs.pop_back();
            }),
            "Gemm 'gemm': its weights are int8[0, 8]");
}

TEST(Lower, ABiasThatStandsElsewhereIsRoundedToTheAccumulator) {
  auto bias_after = [](auto change) {
    Graph graph = network();
    change(graph);
    std::vector<std::int64_t> bias = operation<ConvOp>(lowered(graph).program, 1).layer.folded_bias;
    return std::vector<std::int64_t>{bias[0] + 10 * 6, bias[1] + 10 * 16};
  };
  EXPECT_EQ(bias_after([](Graph&) {}), (std::vector<std::int64_t>{100, -50}));
  // -50 * 0.26 / 0.25 = -52
  EXPECT_EQ(bias_after([](Graph& g) {
              replace(g, "b_scale", Tensor::of<float>({2}, {0.125F, 0.26F}));
            }),
            (std::vector<std::int64_t>{100, -52}));
  EXPECT_EQ(bias_after([](Graph& g) {
              node(g, "b_dequantize")
                  .inputs.push_back(g.add_constant("b_zero", Tensor::of<std::int32_t>({2}, {0, 1})));
            }),
            (std::vector<std::int64_t>{100, -51}));
  EXPECT_EQ(bias_after([](Graph& g) {
              node(g, "conv").inputs[2] = g.add_constant("real", Tensor::of<float>({2}, {1, -1}));
            }),
            (std::vector<std::int64_t>{8, -4}));
}

TEST(Lower, AnAccumulatorBeyondInt32IsWider) {
  Graph graph = network();
  replace(graph, "b_q", Tensor::of<std::int32_t>({2}, {2147483647, 0}));
  Program program = lowered(graph).program;
  EXPECT_EQ(operation<ConvOp>(program, 1).layer.accumulator, ElementType::kInt64);
  EXPECT_EQ(operation<FullyConnectedOp>(program, 4).layer.accumulator, ElementType::kInt32);
}

TEST(Lower, BoundsThatAreComputedStayInFloat) {
  EXPECT_EQ(after([](Graph& g) {
              ValueId bound = g.add_input("bound", ElementType::kFloat32, {});
              Node& r = node(g, "relu");
              r.op = Op::kClip;
              r.inputs.push_back(bound);
            }),
            "Clip 'relu': its input 'bound' is not quantized");
}

TEST(Lower, TakesModelsWhoseBatchIsFixed) {
  Graph graph = network();
  graph.value(graph.find("x")).dims = Dims{3, 1, 4, 4};
  Program program = lowered(graph).program;
  EXPECT_EQ(program.tensor(program.outputs[0]).shape, (Shape{3, 3}));
  Tensor x(ElementType::kFloat32, {3, 1, 4, 4});
  EXPECT_TRUE(run_reference(program, std::span(&x, 1)).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
