#include "zeropoint/toolchain/lower.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compile/qdq_network_for_test.h"
#include "zeropoint/reference.h"

namespace zeropoint::toolchain {
namespace {

using namespace qdq;

/// The message of lower() after `change` was made to the network.
template <typename Change>
std::string after(Change change) {
  Graph graph = network();
  change(graph);
  return lower(graph, RequantizeMode::kFloat).status().message();
}

template <typename Op>
const Op& operation(const Program& program, std::size_t i) {
  return std::get<Op>(program.operations[i]);
}

TEST(Lower, TurnsANetworkIntoIntegerOperations) {
  Result<Program> program = lower(network(), RequantizeMode::kFloat);
  ASSERT_TRUE(program.ok()) << program.status().message();
  ASSERT_EQ(program->operations.size(), 6U);
  EXPECT_TRUE(float_tensors_inside(*program).empty());
  EXPECT_EQ(operation<QuantizeOp>(*program, 0).params, (QuantParams{0.5F, 10}));
  const auto& conv = operation<ConvOp>(*program, 1);
  EXPECT_EQ(conv.input_zero_point, 10);
  EXPECT_EQ(conv.layer.folded_bias, (std::vector<std::int32_t>{100 - 10 * 6, -50 - 10 * 16}));
  EXPECT_EQ(std::get<0>(conv.layer.requantization->multipliers), (std::vector{0.125F, 0.25F}));
  EXPECT_EQ(conv.layer.requantization->zero_point, 5);
  EXPECT_EQ(conv.layer.requantization->clamp, (QuantizedRange{5, 255}));
  EXPECT_EQ(operation<MaxPoolOp>(*program, 2).window.kernel[1], 2);
  EXPECT_EQ(program->tensor(operation<ReshapeOp>(*program, 3).output).sample_shape, Shape{8});
  const auto& gemm = operation<FullyConnectedOp>(*program, 4);
  EXPECT_FALSE(gemm.layer.requantization.has_value());
  EXPECT_EQ(program->tensor(gemm.output).type, ElementType::kInt32);
  EXPECT_EQ(operation<DequantizeOp>(*program, 5).scales, std::vector{0.5F});
  EXPECT_EQ(program->tensor(program->outputs[0]).name, "y");
}

TEST(Lower, FixedPointModeHasFixedPointMultipliers) {
  Result<Program> program = lower(network(), RequantizeMode::kFixedPoint);
  ASSERT_TRUE(program.ok()) << program.status().message();
  EXPECT_EQ(std::get<1>(operation<ConvOp>(*program, 1).layer.requantization->multipliers),
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
  Result<Program> a = lower(straight, RequantizeMode::kFloat);
  Result<Program> b = lower(turned, RequantizeMode::kFloat);
  ASSERT_TRUE(a.ok() && b.ok()) << b.status().message();
  EXPECT_EQ(operation<FullyConnectedOp>(*a, 4).layer.weights,
            operation<FullyConnectedOp>(*b, 4).layer.weights);
}

/// A Clip with the given bounds, absent where they are NaN.
ValueId clip(Graph& graph, ValueId x, float low, float high, const std::string& name = "clip") {
  ValueId l = std::isnan(low) ? kNoValue : scalar(graph, name + "_low", low);
  ValueId h = std::isnan(high) ? kNoValue : scalar(graph, name + "_high", high);
  return graph.add_node(Op::kClip, name, {x, l, h}, name + "_out");
}

/// The clamp of the convolution behind which `activations` stand; a has scale 1 and zero point 5.
QuantizedRange clamp_of(Activations activations) {
  Result<Program> program = lower(network(activations), RequantizeMode::kFloat);
  EXPECT_TRUE(program.ok()) << program.status().message();
  return program.ok() ? operation<ConvOp>(*program, 1).layer.requantization->clamp : QuantizedRange{};
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
  Result<Program> program = lower(graph, RequantizeMode::kFloat);
  ASSERT_TRUE(program.ok()) << program.status().message();
  EXPECT_EQ(operation<QuantizeOp>(*program, 0).range, (QuantizedRange{12, 12}));
  EXPECT_EQ(program->tensor(operation<QuantizeOp>(*program, 0).input).name, "x");
}

TEST(Lower, NamesTheOperatorThatIsNotQuantized) {
  EXPECT_EQ(after([](Graph& g) { node(g, "conv").inputs[0] = g.find("x"); }),
            "Conv 'conv' would stay in float: its input 'x' is not quantized");
  EXPECT_EQ(after([](Graph& g) { node(g, "pool").inputs[0] = g.find("r"); }),
            "Conv 'conv' would stay in float: its result 'r' is not quantized");
  EXPECT_EQ(after([](Graph& g) { node(g, "flatten").inputs[0] = g.find("p"); }),
            "MaxPool 'pool' would stay in float: its result 'p' is not quantized");
  EXPECT_EQ(after([](Graph& g) { node(g, "gemm").inputs[0] = g.find("f"); }),
            "Flatten 'flatten' would stay in float: its result 'f' is not quantized");
  EXPECT_EQ(after([](Graph& g) { g.outputs = {g.add_node(Op::kRelu, "last", {g.outputs[0]}, "z")}; }),
            "Gemm 'gemm' would stay in float: its result 'z' is not quantized");
  EXPECT_EQ(after([](Graph& g) {
              g.outputs = {g.add_node(Op::kRelu, "late", {g.find("f_dq")}, "z")};
            }).substr(0, 35),
            "Gemm 'gemm' would stay in float: it");
  EXPECT_EQ(after([](Graph& g) { g.outputs.push_back(g.find("x")); }), "");
}

TEST(Lower, RefusesAnActivationThatSomethingElseReads) {
  const std::string why = "Conv 'conv' would stay in float: its result ";
  EXPECT_EQ(after([](Graph& g) { quantized(g, "other", g.find("r"), 1, 0); }), why + "'r' is not quantized");
  EXPECT_EQ(after([](Graph& g) { quantized(g, "other", g.find("c"), 1, 0); }), why + "'c' is not quantized");
  EXPECT_EQ(after([](Graph& g) { g.outputs.push_back(g.find("r")); }), why + "'r' is not quantized");
}

TEST(Lower, RefusesAPoolBetweenDifferentParameters) {
  EXPECT_EQ(after([](Graph& g) { replace(g, "p_scale", Tensor::of<float>({}, {2})); }),
            "MaxPool 'pool' would stay in float: its input and its output are quantized differently");
  EXPECT_EQ(after([](Graph& g) { replace(g, "f_zero", Tensor::of<std::uint8_t>({}, {6})); }),
            "Flatten 'flatten' would stay in float: its input and its output are quantized differently");
  EXPECT_EQ(after([](Graph& g) { replace(g, "p_zero", Tensor::of<std::int8_t>({}, {5})); }),
            "MaxPool 'pool' would stay in float: its input and its output are quantized differently");
}

TEST(Lower, RefusesWeightsThatHaveNoIntegerLayer) {
  EXPECT_EQ(
      after([](Graph& g) {
        node(g, "conv").inputs[1] = g.add_constant("float", Tensor(ElementType::kFloat32, {2, 1, 2, 2}));
      }),
      "Conv 'conv' would stay in float: its operand 'float' is not a quantized constant");
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "w_q", Tensor(ElementType::kUint8, {2, 1, 2, 2}));
            }),
            "Conv 'conv': weights of type uint8 have no integer layer yet; int8 is needed");
  EXPECT_EQ(after([](Graph& g) {
              ValueId zero = g.add_constant("w_zero", Tensor::of<std::int8_t>({2}, {0, 1}));
              node(g, "w_dequantize").inputs.push_back(zero);
            }),
            "Conv 'conv': weights with a zero point other than 0 have no integer layer yet");
  EXPECT_EQ(after([](Graph& g) { node(g, "w_dequantize").attributes["axis"] = std::int64_t{2}; }),
            "Conv 'conv': weights must have one scale per tensor or per output channel");
  EXPECT_EQ(after([](Graph& g) { node(g, "gemm").attributes["alpha"] = 2.0F; }),
            "Gemm 'gemm' would stay in float: alpha and beta must be 1, transA 0");
}

TEST(Lower, RefusesEmptyWeights) {
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "u_q", Tensor(ElementType::kInt8, {0, 8}));
              node(g, "gemm").inputs.pop_back();
            }),
            "Gemm 'gemm': weights [0, 8] are empty");
}

TEST(Lower, RefusesABiasThatStandsElsewhere) {
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "b_scale", Tensor::of<float>({2}, {0.125F, 0.26F}));
            }),
            "Conv 'conv': the bias of channel 1 is not at input scale times weight scale");
  EXPECT_EQ(after([](Graph& g) {
              node(g, "b_dequantize")
                  .inputs.push_back(g.add_constant("b_zero", Tensor::of<std::int32_t>({2}, {0, 1})));
            }),
            "Conv 'conv': the bias of channel 1 is not at input scale times weight scale");
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "b_q", Tensor::of<std::int8_t>({2}, {1, 2}));
            }),
            "Conv 'conv': the bias must be int32, one per output channel");
  EXPECT_EQ(after([](Graph& g) {
              // One scale for both elements: fewer scales than channels.
              replace(g, "b_scale", Tensor::of<float>({1}, {0.125F}));
              node(g, "b_dequantize").attributes["block_size"] = std::int64_t{2};
            }),
            "Conv 'conv': the bias must have one scale per tensor or per channel");
  EXPECT_EQ(after([](Graph& g) { replace(g, "v_q", Tensor::of<std::int32_t>({1}, {1})); }),
            "Gemm 'gemm': the bias must be int32, one per output channel");
}

TEST(Lower, RefusesAnAccumulatorBeyondInt32) {
  EXPECT_EQ(after([](Graph& g) {
              replace(g, "b_q", Tensor::of<std::int32_t>({2}, {2147483647, 0}));
            }),
            "Conv 'conv': the accumulator of channel 0 can reach [-510, 2147485627], beyond int32; use fewer "
            "bits for the input or the weights");
}

TEST(Lower, RefusesWhatIsNoImage) {
  EXPECT_EQ(after([](Graph& g) {
              g.value(g.find("x")).dims = Dims{Dim("N"), 1, 4};
              replace(g, "w_q", Tensor(ElementType::kInt8, {2, 1, 2}));
              node(g, "pool").attributes["kernel_shape"] = std::vector<std::int64_t>{2};
              replace(g, "u_q", Tensor(ElementType::kInt8, {3, 4}));
            }),
            "Conv 'conv' would stay in float: input [N, 1, 4] is not [N, C, height, width]");
}

TEST(Lower, RefusesBoundsThatAreComputed) {
  EXPECT_EQ(after([](Graph& g) {
              ValueId bound = g.add_input("bound", ElementType::kFloat32, {});
              Node& r = node(g, "relu");
              r.op = Op::kClip;
              r.inputs.push_back(bound);
            }),
            "Clip 'relu' would stay in float: its bounds must be float32 constants");
}

}  // namespace
}  // namespace zeropoint::toolchain
