// QOperator and QDQ form say the same, there and back.

#include "zeropoint/toolchain/qdq.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "compile/random_networks_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

using Type = ElementType;

/// A graph of operators on integers, by the names that ONNX Runtime's quantizer gives.
struct Integers {
  Graph graph;
  Random random{1};
  Type type;

  explicit Integers(Type activations) : type(activations) { graph.name = "integers"; }

  Tensor random_integers(Type of, const Shape& shape) {
    Tensor tensor(of, shape);
    visit_integer(of, [&](auto e) {
      for (auto& element : tensor.data<decltype(e)>()) {
        element = static_cast<decltype(e)>(random_networks::pick(random, -100, 100));
      }
    });
    return tensor;
  }
  /// Scale and zero point for `name`.
  std::vector<ValueId> params(const std::string& name, float scale, int zero_point) {
    Tensor zero(type, {});
    visit_integer(type, [&](auto e) { zero.data<decltype(e)>()[0] = static_cast<decltype(e)>(zero_point); });
    return {graph.add_constant(name + "_scale", Tensor::of<float>({}, std::vector{scale})),
            graph.add_constant(name + "_zero_point", std::move(zero))};
  }
  /// Integers, scale, zero point of an input.
  std::vector<ValueId> activation(const std::string& name, const Shape& shape, float scale, int zero_point) {
    std::vector<ValueId> ids{graph.add_input(name + "_quantized", type, dims_of(shape))};
    std::vector<ValueId> others = params(name, scale, zero_point);
    ids.insert(ids.end(), others.begin(), others.end());
    return ids;
  }
  std::vector<ValueId> weights(const Shape& shape, std::int64_t channels) {
    Tensor scale(Type::kFloat32, {channels});
    for (float& s : scale.data<float>()) {
      s = 0.003F + 0.001F * static_cast<float>(random_networks::pick(random, 0, 9));
    }
    return {graph.add_constant("w_quantized", random_integers(Type::kInt8, shape)),
            graph.add_constant("w_scale", std::move(scale)),
            graph.add_constant("w_zero_point", Tensor(Type::kInt8, {channels}))};
  }
  ValueId bias(std::int64_t channels) {
    return graph.add_constant("b_quantized", random_integers(Type::kInt32, {channels}));
  }
  void finish(Op op, const std::vector<std::vector<ValueId>>& inputs, Attributes attributes = {}) {
    std::vector<ValueId> all;
    for (const std::vector<ValueId>& some : inputs) {
      all.insert(all.end(), some.begin(), some.end());
    }
    graph.outputs = {graph.add_node(op, "node", std::move(all), "y_quantized", std::move(attributes))};
    EXPECT_EQ(infer_shapes(graph).message(), "") << name_of(op);
  }
};

std::vector<Tensor> run(const Graph& graph, std::uint64_t seed) {
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  std::vector<Tensor> inputs;
  Integers source(Type::kInt8);
  source.random = Random(seed);
  for (ValueId id : graph.inputs) {
    inputs.push_back(source.random_integers(graph.value(id).type, shape_of(*graph.value(id).dims, 1)));
  }
  Result<std::vector<Tensor>> outputs = executor->run(inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? *outputs : std::vector<Tensor>{};
}

std::int64_t largest_difference(const Tensor& a, const Tensor& b) {
  std::int64_t largest = a.type() == b.type() && a.shape() == b.shape() ? 0 : 1000;
  visit_integer(a.type(), [&](auto e) {
    for (std::size_t i = 0; largest < 1000 && i < a.data<decltype(e)>().size(); ++i) {
      largest = std::max<std::int64_t>(largest, std::abs(int{static_cast<int>(a.data<decltype(e)>()[i])} -
                                                         static_cast<int>(b.data<decltype(e)>()[i])));
    }
  });
  return largest;
}

std::size_t count(const Graph& graph, Op op) {
  return static_cast<std::size_t>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == op; }));
}

/// The graph in QDQ form computes the same up to where reals are rounded to an integer, has none of the
/// operator but `real`, and comes back as it was.
void expect_there_and_back(const Graph& graph, Op real) {
  SCOPED_TRACE(print(graph));
  Result<Graph> qdq = to_qdq(graph);
  ASSERT_TRUE(qdq.ok()) << qdq.status().message();
  EXPECT_EQ(count(*qdq, real), 1U) << print(*qdq);
  EXPECT_EQ(count(*qdq, Op::kQuantizeLinear), 1U);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_LE(largest_difference(run(graph, seed)[0], run(*qdq, seed)[0]), 1);
  }
  Result<Graph> back = to_qoperator(*qdq);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(print(*back), print(graph));
  for (const Value& value : back->values) {
    if (value.constant != nullptr) {
      EXPECT_EQ(*value.constant, *graph.value(graph.find(value.name)).constant) << value.name;
    }
  }
}

TEST(Qdq, LayersThereAndBack) {
  for (Type type : {Type::kUint8, Type::kInt8}) {
    int zero = type == Type::kUint8 ? 120 : -8;
    for (bool has_bias : {false, true}) {
      Integers conv(type);
      std::vector<ValueId> bias;
      auto x = conv.activation("x", {1, 2, 5, 5}, 0.02F, zero);
      auto w = conv.weights({3, 2, 3, 3}, 3);
      bias = has_bias ? std::vector{conv.bias(3)} : bias;
      conv.finish(Op::kQLinearConv, {x, w, conv.params("y", 0.1F, zero + 3), bias},
                  {{"pads", std::vector<std::int64_t>{1, 0, 1, 0}}});
      expect_there_and_back(conv.graph, Op::kConv);

      Integers gemm(type);
      auto a = gemm.activation("x", {2, 6}, 0.02F, zero);
      auto b = gemm.weights({4, 6}, 4);
      std::vector<ValueId> c{has_bias ? gemm.bias(4) : kNoValue};
      gemm.finish(Op::kQGemm, {a, b, c, gemm.params("y", 0.05F, zero)},
                  {{"transB", std::int64_t{1}}, {"alpha", 0.5F}});
      expect_there_and_back(gemm.graph, Op::kGemm);
    }
    Integers matmul(type);
    auto a = matmul.activation("x", {3, 2, 6}, 0.02F, zero);
    auto b = matmul.weights({6, 4}, 4);
    matmul.finish(Op::kQLinearMatMul, {a, b, matmul.params("y", 0.05F, zero)});
    expect_there_and_back(matmul.graph, Op::kMatMul);
  }
}

// One tensor of weights, read by column and by row: two dequantizations.
TEST(Qdq, WeightsThatAreReadAlongTwoAxes) {
  Integers tied(Type::kUint8);
  auto x = tied.activation("x", {2, 4}, 0.02F, 120);
  auto w = tied.weights({4, 4}, 4);
  auto y = tied.params("y", 0.1F, 120);
  tied.finish(Op::kQGemm, {x, w, {kNoValue}, y}, {{"transB", std::int64_t{1}}});
  std::vector<ValueId> product = x;
  product.insert(product.end(), w.begin(), w.end());
  product.insert(product.end(), y.begin(), y.end());
  tied.graph.outputs.push_back(tied.graph.add_node(Op::kQLinearMatMul, "product", product, "z_quantized"));
  ASSERT_EQ(infer_shapes(tied.graph).message(), "");
  Result<Graph> qdq = to_qdq(tied.graph);
  ASSERT_TRUE(qdq.ok()) << qdq.status().message();
  std::vector<Tensor> expected = run(tied.graph, 1);
  std::vector<Tensor> actual = run(*qdq, 1);
  EXPECT_LE(largest_difference(expected[0], actual[0]), 1);
  EXPECT_LE(largest_difference(expected[1], actual[1]), 1);
}

TEST(Qdq, ElementwiseOperatorsThereAndBack) {
  for (Type type : {Type::kUint8, Type::kInt8}) {
    int zero = type == Type::kUint8 ? 120 : -8;
    for (auto [op, real] : {std::pair{Op::kQLinearAdd, Op::kAdd}, std::pair{Op::kQLinearMul, Op::kMul}}) {
      Integers binary(type);
      auto a = binary.activation("a", {2, 3, 4}, 0.02F, zero);
      auto b = binary.activation("b", {3, 1}, 0.03F, zero + 5);
      binary.finish(op, {a, b, binary.params("y", 0.04F, zero)});
      expect_there_and_back(binary.graph, real);
    }
    Integers sigmoid(type);
    auto x = sigmoid.activation("x", {2, 8}, 0.05F, zero);
    sigmoid.finish(Op::kQLinearSigmoid,
                   {x, sigmoid.params("y", 1.0F / 256, type == Type::kUint8 ? 0 : -128)});
    expect_there_and_back(sigmoid.graph, Op::kSigmoid);

    Integers leaky(type);
    x = leaky.activation("x", {2, 8}, 0.05F, zero);
    leaky.finish(Op::kQLinearLeakyRelu, {x, leaky.params("y", 0.05F, zero)}, {{"alpha", 0.3F}});
    expect_there_and_back(leaky.graph, Op::kLeakyRelu);

    Integers softmax(type);
    x = softmax.activation("x", {2, 8}, 0.05F, zero);
    softmax.finish(Op::kQLinearSoftmax, {x, softmax.params("y", 1.0F / 256, type == Type::kUint8 ? 0 : -128)},
                   {{"axis", std::int64_t{-1}}, {"opset", std::int64_t{13}}});
    expect_there_and_back(softmax.graph, Op::kSoftmax);
  }
}

TEST(Qdq, PoolsAndConcatThereAndBack) {
  for (Type type : {Type::kUint8, Type::kInt8}) {
    int zero = type == Type::kUint8 ? 120 : -8;
    Integers average(type);
    auto x = average.activation("x", {1, 2, 6, 6}, 0.05F, zero);
    average.finish(Op::kQLinearAveragePool, {x, average.params("y", 0.04F, zero)},
                   {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
    expect_there_and_back(average.graph, Op::kAveragePool);

    Integers global(type);
    x = global.activation("x", {1, 2, 6, 6}, 0.05F, zero);
    global.finish(Op::kQLinearGlobalAveragePool, {x, global.params("y", 0.04F, zero)});
    expect_there_and_back(global.graph, Op::kGlobalAveragePool);

    Integers concat(type);
    auto y = concat.params("y", 0.06F, zero);
    auto a = concat.activation("a", {2, 3}, 0.05F, zero);
    auto b = concat.activation("b", {2, 4}, 0.02F, zero - 7);
    concat.finish(Op::kQLinearConcat, {y, a, b}, {{"axis", std::int64_t{1}}});
    expect_there_and_back(concat.graph, Op::kConcat);
  }
}

TEST(Qdq, MovesOfIntegersComeBetweenPairs) {
  Integers moves(Type::kUint8);
  auto x = moves.activation("x", {1, 2, 6, 6}, 0.05F, 120);
  auto w = moves.weights({3, 2, 3, 3}, 3);
  std::vector<ValueId> inputs{x};
  inputs.insert(inputs.end(), w.begin(), w.end());
  auto y = moves.params("y", 0.06F, 11);
  inputs.insert(inputs.end(), y.begin(), y.end());
  Graph& graph = moves.graph;
  ValueId q = graph.add_node(Op::kQLinearConv, "conv", inputs, "c_quantized");
  ValueId pool = graph.add_node(Op::kMaxPool, "pool", {q}, "p_quantized",
                                {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
  graph.outputs = {graph.add_node(Op::kFlatten, "flat", {pool}, "f_quantized")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  Result<Graph> qdq = to_qdq(graph);
  ASSERT_TRUE(qdq.ok()) << qdq.status().message();
  for (const Node& node : qdq->nodes) {
    if (node.op == Op::kMaxPool || node.op == Op::kFlatten) {
      EXPECT_EQ(qdq->value(node.outputs[0]).type, Type::kFloat32);
    }
  }
  EXPECT_LE(largest_difference(run(graph, 1)[0], run(*qdq, 1)[0]), 1);
  EXPECT_EQ(print(*to_qoperator(*qdq)), print(graph));
}

TEST(Qdq, BlockWeightsAreUnpacked) {
  constexpr std::int64_t kRows = 40;  // the last block of 16 is not full
  constexpr std::int64_t kColumns = 3;
  for (bool has_zero_points : {false, true}) {
    for (std::int64_t bits : {4, 8}) {
      Integers source(Type::kUint8);
      Graph& graph = source.graph;
      std::vector<ValueId> inputs{graph.add_input("x", Type::kFloat32, {2, kRows})};
      inputs.push_back(
          graph.add_constant("w", source.random_integers(Type::kUint8, {kColumns, 3, 2 * bits})));
      inputs.push_back(graph.add_constant("s", oracle::random_tensor({kColumns * 3}, source.random)));
      if (has_zero_points) {
        inputs.push_back(
            graph.add_constant("z", source.random_integers(Type::kUint8, {kColumns * (bits == 8 ? 3 : 2)})));
      }
      graph.outputs = {
          graph.add_node(Op::kMatMulNBits, "m", inputs, "y",
                         {{"K", kRows}, {"N", kColumns}, {"bits", bits}, {"block_size", std::int64_t{16}}})};
      ASSERT_EQ(infer_shapes(graph).message(), "");
      Result<Graph> qdq = to_qdq(graph);
      ASSERT_TRUE(qdq.ok()) << qdq.status().message();
      EXPECT_EQ(count(*qdq, Op::kMatMulNBits), 0U);
      Tensor x = oracle::random_tensor({2, kRows}, source.random);
      Tensor expected = *FloatExecutor::create(graph)->run(x);
      Tensor computed = *FloatExecutor::create(*qdq)->run(x);
      for (std::size_t i = 0; i < expected.data<float>().size(); ++i) {
        float tolerance = 1e-5F * (1 + std::abs(expected.data<float>()[i])) * 100;
        EXPECT_NEAR(computed.data<float>()[i], expected.data<float>()[i], tolerance);
      }
      Result<Graph> packed = to_qoperator(*qdq);
      ASSERT_TRUE(packed.ok()) << packed.status().message();
      EXPECT_EQ(count(*packed, Op::kMatMulNBits), 1U);
      EXPECT_EQ(largest_difference(expected, *FloatExecutor::create(*packed)->run(x)), 0);
    }
  }
}

// A block is padded to its size: one far larger than the weights would be bytes that hold nothing.
TEST(Qdq, BlocksLargerThanTheWeightsStayAsTheyAre) {
  constexpr std::int64_t kRows = 40;
  for (std::int64_t block :
       {std::int64_t{64}, std::int64_t{128}, std::int64_t{1} << 40, std::int64_t{1} << 62}) {
    Graph graph;
    ValueId x = graph.add_input("x", Type::kFloat32, {2, kRows});
    ValueId w = graph.add_constant("w", Tensor(Type::kInt8, {kRows, 3}));
    ValueId s = graph.add_constant("s", Tensor::of<float>({1, 3}, std::vector<float>{1, 2, 3}));
    Attributes blocks{{"axis", std::int64_t{0}}, {"block_size", block}};
    ValueId d = graph.add_node(Op::kDequantizeLinear, "d", {w, s}, "d", blocks);
    graph.outputs = {graph.add_node(Op::kMatMul, "m", {x, d}, "y")};
    ASSERT_EQ(infer_shapes(graph).message(), "");
    Result<Graph> packed = to_qoperator(graph);
    ASSERT_TRUE(packed.ok()) << packed.status().message();
    EXPECT_EQ(count(*packed, Op::kMatMulNBits), block == 64 ? 1U : 0U) << block;
  }
}

std::vector<Tensor> integer_outputs(const Graph& graph, const Tensor& input) {
  Result<Lowering> lowered = lower(graph, RequantizeMode::kFloat);
  EXPECT_TRUE(lowered.ok()) << lowered.status().message();
  return lowered.ok() ? *run_reference(lowered->program, std::span(&input, 1)) : std::vector<Tensor>{};
}

/// The number of layers that became operators on integers.
std::size_t expect_same_bits(const Graph& graph, const Tensor& input) {
  Result<Graph> qoperator = to_qoperator(graph);
  EXPECT_TRUE(qoperator.ok()) << qoperator.status().message();
  Result<Graph> qdq = to_qdq(*qoperator);
  EXPECT_TRUE(qdq.ok()) << qdq.status().message();
  EXPECT_EQ(integer_outputs(*qdq, input), integer_outputs(graph, input));
  EXPECT_EQ(print(*to_qdq(graph)), print(graph));
  EXPECT_EQ(print(*to_qdq(*to_qoperator(*qdq))), print(*qdq));
  return count(*qoperator, Op::kQLinearConv) + count(*qoperator, Op::kQGemm);
}

// What is left out where a range says it already changes no bit.
TEST(Qdq, RandomNetworksComputeTheSameBitsAfterTheWayThroughQOperators) {
  std::size_t converted = 0;
  for (std::uint64_t seed = 20000; seed < 20100; ++seed) {
    SCOPED_TRACE(seed);
    Result<random_networks::Quantized> network = random_networks::random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    expect_same_bits(network->graph, network->input);  // of few bits most often, with a Clip that stays
    RangeTable ranges = random_networks::ranges_of(network->real, network->input);
    Recipe recipe;
    recipe.activations.is_signed = seed % 2 == 0;
    converted += expect_same_bits(*apply_plan(network->real, *make_plan(network->real, ranges, recipe)),
                                  network->input);
  }
  EXPECT_GT(converted, 100U);
}

TEST(Qdq, AClampThatSaysMoreThanTheRangeStays) {
  for (auto [high, stays] : {std::pair{6.0F, true}, std::pair{30.0F, false}}) {
    Integers source(Type::kUint8);
    Graph& graph = source.graph;
    auto x = source.activation("x", {1, 1, 4, 4}, 0.1F, 0);
    auto w = source.weights({1, 1, 2, 2}, 1);
    ValueId real = graph.add_node(Op::kDequantizeLinear, "dx", x, "x");
    ValueId weights = graph.add_node(Op::kDequantizeLinear, "dw", w, "w", {{"axis", std::int64_t{0}}});
    ValueId conv = graph.add_node(Op::kConv, "conv", {real, weights}, "c");
    ValueId low = graph.add_constant("low", Tensor::of<float>({}, {0}));
    ValueId top = graph.add_constant("high", Tensor::of<float>({}, std::vector{high}));
    ValueId clip = graph.add_node(Op::kClip, "clip", {conv, low, top}, "y");
    auto y = source.params("y", 0.1F, 0);  // up to 25.5
    graph.outputs = {graph.add_node(Op::kQuantizeLinear, "q", {clip, y[0], y[1]}, "y_quantized")};
    ASSERT_EQ(infer_shapes(graph).message(), "");
    Result<Graph> qoperator = to_qoperator(graph);
    ASSERT_TRUE(qoperator.ok()) << qoperator.status().message();
    EXPECT_EQ(count(*qoperator, Op::kClip), stays ? 1U : 0U);
    EXPECT_EQ(count(*qoperator, Op::kQLinearConv), stays ? 0U : 1U);
  }
}

TEST(Qdq, ModelsOfOnnxRuntimeComeThrough) {
  const char* data = std::getenv("ZEROPOINT_DATA");
  std::filesystem::path folder =
      std::filesystem::path(data == nullptr ? "" : data) / "models_quantized_by_ort";
  if (data == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no real models: set ZEROPOINT_DATA";
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    Result<Graph> graph = read_onnx(entry.path().string());
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    Result<Graph> qdq = to_qdq(*graph);
    ASSERT_TRUE(qdq.ok()) << qdq.status().message();
    for (const Node& node : qdq->nodes) {
      EXPECT_TRUE(info_of(node.op).domain.empty() && node.op != Op::kQLinearConv) << describe(node);
    }
    for (const Value& value : qdq->values) {  // what was there is as it was
      if (ValueId before = graph->find(value.name); value.constant != nullptr && before != kNoValue) {
        EXPECT_EQ(*value.constant, *graph->value(before).constant) << value.name;
      }
    }
    Result<Graph> qoperator = to_qoperator(*qdq);
    ASSERT_TRUE(qoperator.ok()) << qoperator.status().message();
    EXPECT_GT(count(*qoperator, Op::kQLinearConv), 0U);
    EXPECT_EQ(print(*to_qdq(*qoperator)), print(*to_qdq(*to_qoperator(*to_qdq(*qoperator)))));
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
