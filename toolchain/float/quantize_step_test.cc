#include <gtest/gtest.h>

#include "float/double_oracle.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

using oracle::random_tensor;

Tensor run_or_die(const Graph& graph, const Tensor& input) {
  Result<FloatExecutor> executor = FloatExecutor::create(graph, {1});
  if (!executor.ok()) {
    ADD_FAILURE() << executor.status().message();
    return {};
  }
  Result<Tensor> output = executor->run(input);
  EXPECT_TRUE(output.ok()) << output.status().message();
  return output.ok() ? *output : Tensor();
}

TensorParams params_of(const Tensor& tensor, Granularity granularity) {
  return *choose_params(tensor, granularity, QuantizedType{}, {});
}

/// Scale and zero point constants of `params`, in the shape that ONNX gives them.
std::vector<ValueId> add_params(Graph& graph, const std::string& name, const TensorParams& params,
                                const Shape& of, ElementType type) {
  Shape shape = ParamsLayout::of(of, params.granularity)->params_shape();
  Tensor scale(ElementType::kFloat32, shape);
  Tensor zero_point(type, shape);
  for (std::size_t i = 0; i < params.params.size(); ++i) {
    scale.data<float>()[i] = params.params[i].scale;
    visit_integer(type, [&](auto element) {
      zero_point.data<decltype(element)>()[i] = static_cast<decltype(element)>(params.params[i].zero_point);
    });
  }
  return {graph.add_constant(name + "_scale", scale), graph.add_constant(name + "_zero_point", zero_point)};
}

Attributes attributes_of(Granularity granularity) {
  Attributes attributes = {{"axis", granularity.axis}};
  if (granularity.kind == Granularity::Kind::kPerGroup) {
    attributes["block_size"] = granularity.group_size;
  }
  return attributes;
}

TEST(QuantizeSteps, EqualTheAffineMappingBitForBit) {
  const Granularity granularities[] = {Granularity::per_tensor(), Granularity::per_channel(1),
                                       Granularity::per_channel(-1), Granularity::per_group(1, 4),
                                       Granularity::per_group(2, 2)};
  Random random(1);
  Tensor input = random_tensor({3, 6, 5, 2}, random);
  for (const Granularity& granularity : granularities) {
    TensorParams params = params_of(input, granularity);
    Graph graph;
    ValueId x = graph.add_input("x", ElementType::kFloat32, {3, 6, 5, 2});
    std::vector<ValueId> p = add_params(graph, "x", params, input.shape(), ElementType::kInt8);
    auto attributes = attributes_of(granularity);
    ValueId q = graph.add_node(Op::kQuantizeLinear, "quantize", {x, p[0], p[1]}, "q", attributes);
    ValueId y = graph.add_node(Op::kDequantizeLinear, "dequantize", {q, p[0], p[1]}, "y", attributes);
    graph.outputs = {q};
    Tensor quantized = *quantize(input, params, QuantizedType{});
    EXPECT_EQ(run_or_die(graph, input), quantized);
    graph.outputs = {y};
    EXPECT_EQ(run_or_die(graph, input), *dequantize(quantized, params));
  }
}

TEST(QuantizeSteps, QuantizeToUint8WithoutAZeroPointAndToWiderTypes) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N")});
  ValueId scale = graph.add_constant("scale", Tensor::of<float>({}, {0.5F}));
  ValueId zero = graph.add_constant("zero", Tensor::of<std::int16_t>({}, {-3}));
  graph.outputs = {graph.add_node(Op::kQuantizeLinear, "q", {x, scale}, "y")};
  Tensor input = Tensor::of<float>({5}, {-1, 0.25F, 0.75F, 100, 20000});
  EXPECT_EQ(run_or_die(graph, input), Tensor::of<std::uint8_t>({5}, {0, 0, 2, 200, 255}));
  graph.outputs = {graph.add_node(Op::kQuantizeLinear, "q16", {x, scale, zero}, "z")};
  EXPECT_EQ(run_or_die(graph, input), Tensor::of<std::int16_t>({5}, {-5, -3, -1, 197, 32767}));
}

/// A quantized convolution: weights and bias are integers behind DequantizeLinear, which is computed when the
/// executor is made.
TEST(QuantizeSteps, FeedWeightsAndBiasesOfConvAndGemm) {
  Random random(2);
  Tensor weights = random_tensor({4, 3, 3, 3}, random);
  TensorParams per_channel = params_of(weights, Granularity::per_channel(0));
  Tensor quantized = *quantize(weights, per_channel, QuantizedType{});
  Tensor matrix = random_tensor({144, 10}, random);
  TensorParams blocked = params_of(matrix, Granularity::per_group(0, 32));
  Tensor quantized_matrix = *quantize(matrix, blocked, QuantizedType{});
  Tensor bias = Tensor::of<std::int32_t>({4}, {100, -200, 300, 1 << 20});

  Graph graph;
  Graph plain;  // the same with the weights computed beforehand
  auto build = [&](Graph& g, bool integers) {
    ValueId x = g.add_input("x", ElementType::kFloat32, {Dim("N"), 3, 8, 8});
    ValueId w = kNoValue;
    ValueId b = kNoValue;
    ValueId m = kNoValue;
    TensorParams bias_params{Granularity::per_tensor(), {{0.001F, 0}}};
    if (integers) {
      std::vector<ValueId> p = add_params(g, "w", per_channel, weights.shape(), ElementType::kInt8);
      w = g.add_node(Op::kDequantizeLinear, "dw", {g.add_constant("w_q", quantized), p[0], p[1]}, "w",
                     {{"axis", std::int64_t{0}}});
      p = add_params(g, "b", bias_params, bias.shape(), ElementType::kInt32);
      b = g.add_node(Op::kDequantizeLinear, "db", {g.add_constant("b_q", bias), p[0]}, "b");
      p = add_params(g, "m", blocked, matrix.shape(), ElementType::kInt8);
      m = g.add_node(Op::kDequantizeLinear, "dm", {g.add_constant("m_q", quantized_matrix), p[0], p[1]}, "m",
                     {{"axis", std::int64_t{0}}, {"block_size", std::int64_t{32}}});
    } else {
      w = g.add_constant("w", *dequantize(quantized, per_channel));
      b = g.add_constant("b", *dequantize(bias, bias_params));
      m = g.add_constant("m", *dequantize(quantized_matrix, blocked));
    }
    ValueId c = g.add_node(Op::kConv, "conv", {x, w, b}, "c");
    ValueId f = g.add_node(Op::kFlatten, "flat", {c}, "f");
    g.outputs = {g.add_node(Op::kGemm, "gemm", {f, m}, "y")};
  };
  build(graph, true);
  build(plain, false);
  Tensor input = random_tensor({2, 3, 8, 8}, random);
  EXPECT_EQ(run_or_die(graph, input), run_or_die(plain, input));
}

TEST(QuantizeSteps, AreObservedWithTheirIntegers) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2});
  ValueId scale = graph.add_constant("scale", Tensor::of<float>({}, {0.5F}));
  ValueId zero = graph.add_constant("zero", Tensor::of<std::int8_t>({}, {1}));
  ValueId q = graph.add_node(Op::kQuantizeLinear, "q", {x, scale, zero}, "q");
  graph.outputs = {graph.add_node(Op::kDequantizeLinear, "d", {q, scale, zero}, "y")};
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  Tensor seen;
  std::vector<Tensor> inputs = {Tensor::of<float>({1, 2}, {3, -100})};
  ValueObserver observer{[&](ValueId, const Tensor& tensor) {
                           seen = tensor;
                           return Status();
                         },
                         {q}};
  Result<std::vector<Tensor>> outputs = executor->run(inputs, observer);
  ASSERT_TRUE(outputs.ok());
  EXPECT_EQ(seen, Tensor::of<std::int8_t>({1, 2}, {7, -128}));
  EXPECT_EQ((*outputs)[0], Tensor::of<float>({1, 2}, {3, -64.5F}));
}

/// Weights that are computed at each run, because they depend on an input.
TEST(QuantizeSteps, FeedWeightsThatAreNotKnownBeforeTheRun) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1, 3, 3});
  ValueId w = graph.add_input("w", ElementType::kInt8, {1, 1, 2, 2});
  ValueId scale = graph.add_constant("scale", Tensor::of<float>({}, {0.5F}));
  ValueId d = graph.add_node(Op::kDequantizeLinear, "d", {w, scale}, "wf");
  graph.outputs = {graph.add_node(Op::kConv, "conv", {x, d}, "y")};
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  for (auto k : {std::int8_t{2}, std::int8_t{4}}) {
    std::vector<Tensor> inputs = {Tensor::of<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
                                  Tensor::of<std::int8_t>({1, 1, 2, 2}, {k, 0, 0, 0})};
    Result<std::vector<Tensor>> y = executor->run(inputs);
    ASSERT_TRUE(y.ok()) << y.status().message();
    auto f = static_cast<float>(k) / 2;
    EXPECT_EQ((*y)[0], Tensor::of<float>({1, 1, 2, 2}, {f, 2 * f, 4 * f, 5 * f}));
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
