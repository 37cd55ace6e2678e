#include "zeropoint/toolchain/float_executor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <thread>

#include "float/double_oracle.h"

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;
using oracle::random_tensor;

/// Elements are in [-1, 1] and sums have at most 300 terms: float32 rounding stays below 1e-5 whatever the
/// order of the sum, and a missing or misplaced term is around 1e-1.
constexpr double kTolerance = 1e-5;

void expect_near(const Tensor& actual, const oracle::Reals& expected) {
  ASSERT_EQ(actual.shape(), expected.shape);
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    ASSERT_NEAR(actual.data<float>()[i], expected.data[i], kTolerance) << "element " << i;
  }
}

/// Runs `graph` on random inputs of that batch size; outputs, and every value on the way, must agree with the
/// loops in double precision.
void check_against_oracle(const Graph& graph, std::int64_t batch = 3, int threads = 1) {
  Random random(7);
  std::vector<Tensor> inputs;
  oracle::Values known;
  for (ValueId id : graph.inputs) {
    inputs.push_back(random_tensor(shape_of(*graph.value(id).dims, batch), random));
    known[id] = oracle::reals_of(inputs.back());
  }
  oracle::Values expected = oracle::evaluate(graph, known);
  Result<FloatExecutor> executor = FloatExecutor::create(graph, {threads});
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  for (int repeat = 0; repeat < 2; ++repeat) {
    Result<std::vector<Tensor>> outputs = executor->run(inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    for (std::size_t i = 0; i < outputs->size(); ++i) {
      expect_near((*outputs)[i], expected.at(graph.outputs[i]));
    }
  }
  std::size_t seen = 0;
  ValueObserver observer{[&](ValueId id, const Tensor& tensor) {
                           ++seen;
                           expect_near(tensor, expected.at(id));
                           return Status();
                         },
                         {}};
  Result<std::vector<Tensor>> outputs = executor->run(inputs, observer);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ(seen, graph.inputs.size() + graph.nodes.size());
}

struct ConvCase {
  Shape input;  // C, H, W
  Shape weights;
  Attributes attributes;
  bool bias = true;
};

Graph conv_graph(const ConvCase& c) {
  Random random(3);
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), c.input[0], c.input[1], c.input[2]});
  ValueId w = graph.add_constant("w", random_tensor(c.weights, random));
  std::vector<ValueId> inputs = {x, w};
  if (c.bias) {
    inputs.push_back(graph.add_constant("b", random_tensor({c.weights[0]}, random)));
  }
  graph.outputs = {graph.add_node(Op::kConv, "conv", inputs, "y", c.attributes)};
  return graph;
}

TEST(FloatExecutor, ConvolvesAsPlainLoopsDo) {
  const ConvCase cases[] = {
      {{1, 28, 28}, {6, 1, 5, 5}, {}},
      {{6, 12, 12}, {16, 6, 5, 5}, {}},
      {{3, 9, 7}, {4, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}},
      {{3, 9, 7}, {4, 3, 3, 2}, {{"pads", Ints{0, 1, 2, 0}}, {"strides", Ints{2, 1}}}},
      {{3, 9, 8}, {5, 3, 3, 3}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}, false},
      {{2, 9, 9}, {4, 2, 3, 3}, {{"dilations", Ints{2, 3}}, {"pads", Ints{2, 2, 2, 2}}}},
      {{8, 6, 6}, {8, 1, 3, 3}, {{"group", std::int64_t{8}}, {"pads", Ints{1, 1, 1, 1}}}},
      {{6, 6, 6}, {4, 3, 3, 3}, {{"group", std::int64_t{2}}}},
      {{32, 5, 5}, {32, 16, 3, 3}, {{"group", std::int64_t{2}}, {"strides", Ints{2, 2}}}},
      {{5, 7, 7}, {7, 5, 1, 1}, {}},
      {{3, 8, 8}, {4, 3, 3, 3}, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2, 2}}}},
  };
  for (const ConvCase& c : cases) {
    SCOPED_TRACE(zeropoint::to_string(c.input) + " " + zeropoint::to_string(c.weights));
    check_against_oracle(conv_graph(c));
    check_against_oracle(conv_graph(c), 17, 2);
  }
}

TEST(FloatExecutor, ConvolvesAlongOneAxis) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1, 5});
  ValueId w = graph.add_constant("w", Tensor::of<float>({1, 1, 3}, {1, 0, -1}));
  graph.outputs = {graph.add_node(Op::kConv, "conv", {x, w}, "y", {{"strides", Ints{2}}})};
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  Result<Tensor> y = executor->run(Tensor::of<float>({1, 1, 5}, {1, 2, 4, 8, 16}));
  ASSERT_TRUE(y.ok()) << y.status().message();
  EXPECT_EQ(*y, Tensor::of<float>({1, 1, 2}, {-3, -12}));
}

TEST(FloatExecutor, MultipliesAsPlainLoopsDo) {
  struct Case {
    Shape a, b, c;  // c empty: none
    Attributes attributes;
  };
  const Case cases[] = {
      {{-1, 20}, {10, 20}, {10}, {{"transB", std::int64_t{1}}}},
      {{-1, 256}, {120, 256}, {1, 120}, {{"transB", std::int64_t{1}}}},
      {{-1, 20}, {20, 10}, {10}, {}},
      {{-1, 20}, {20, 10}, {}, {{"beta", 0.5F}}},
      {{-1, 20}, {20, 10}, {10}, {{"alpha", 0.5F}, {"beta", -2.0F}}},
      {{-1, 20}, {20, 10}, {1}, {}},
      {{-1, 20}, {20, 10}, {3, 1}, {}},
      {{-1, 20}, {20, 10}, {3, 10}, {{"beta", 0.25F}}},
      {{20, 3}, {10, 20}, {10}, {{"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(zeropoint::to_string(c.a) + " " + zeropoint::to_string(c.b) + " " +
                 zeropoint::to_string(c.c));
    Random random(5);
    Graph graph;
    Dims dims = c.a[0] < 0 ? Dims{Dim("N"), c.a[1]} : dims_of(c.a);
    std::vector<ValueId> inputs = {graph.add_input("a", ElementType::kFloat32, dims),
                                   graph.add_constant("b", random_tensor(c.b, random))};
    if (!c.c.empty()) {
      inputs.push_back(graph.add_constant("c", random_tensor(c.c, random)));
    }
    graph.outputs = {graph.add_node(Op::kGemm, "gemm", inputs, "y", c.attributes)};
    check_against_oracle(graph);
  }
}

TEST(FloatExecutor, RefusesABatchThatABiasPerRowDoesNotFit) {
  Graph graph;
  ValueId a = graph.add_input("a", ElementType::kFloat32, {Dim("N"), 6});
  ValueId b = graph.add_constant("b", Tensor(ElementType::kFloat32, {6, 5}));
  ValueId c = graph.add_constant("c", Tensor(ElementType::kFloat32, {3, 5}));
  graph.outputs = {graph.add_node(Op::kGemm, "gemm", {a, b, c}, "y")};
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  EXPECT_TRUE(executor->run(Tensor(ElementType::kFloat32, {3, 6})).ok());
  EXPECT_EQ(executor->run(Tensor(ElementType::kFloat32, {7, 6})).status().message(),
            "Gemm 'gemm': bias [3, 5] does not fit the product [7, 5]");
}

TEST(FloatExecutor, MultipliesTwoComputedMatrices) {
  Graph graph;
  ValueId a = graph.add_input("a", ElementType::kFloat32, {4, 6});
  ValueId b = graph.add_input("b", ElementType::kFloat32, {6, 5});
  graph.outputs = {graph.add_node(Op::kGemm, "gemm", {a, b}, "y")};
  check_against_oracle(graph);
}

TEST(FloatExecutor, PoolsAsPlainLoopsDo) {
  const Attributes cases[] = {
      {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}},
      {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
      {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 3}}, {"ceil_mode", std::int64_t{1}}},
      {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 3}}},
      {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{0, 1, 2, 0}}},
  };
  for (const Attributes& attributes : cases) {
    Graph graph;
    ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3, 9, 8});
    graph.outputs = {graph.add_node(Op::kMaxPool, "pool", {x}, "y", attributes)};
    check_against_oracle(graph);
  }
}

TEST(FloatExecutor, ClipsBetweenKnownOpenAndComputedBounds) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3, 4, 5});
  ValueId bound = graph.add_input("bound", ElementType::kFloat32, {});
  ValueId low = graph.add_constant("low", Tensor::of<float>({}, {-0.25F}));
  ValueId high = graph.add_constant("high", Tensor::of<float>({}, {0.5F}));
  graph.outputs = {graph.add_node(Op::kClip, "both", {x, low, high}, "y0"),
                   graph.add_node(Op::kClip, "low only", {x, low}, "y1"),
                   graph.add_node(Op::kClip, "high only", {x, kNoValue, high}, "y2"),
                   graph.add_node(Op::kClip, "computed", {x, bound}, "y3"),
                   graph.add_node(Op::kClip, "neither", {x}, "y4")};
  check_against_oracle(graph);
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Every value of the graph, however its node is computed, has the elements of the operators' evaluation,
/// NaNs and infinities among them.
void expect_nans_where_evaluated(const Graph& graph, const Tensor& input) {
  std::map<ValueId, Tensor> known = {{graph.inputs[0], input}};
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> inputs;
    for (ValueId id : node.inputs) {
      const Tensor* constant = id == kNoValue ? nullptr : graph.value(id).constant.get();
      inputs.push_back(id == kNoValue || constant != nullptr ? constant : &known.at(id));
    }
    known.insert_or_assign(node.outputs[0], (*evaluate(OperatorCall(node.op, node.attributes, inputs)))[0]);
  }
  for (int threads : {1, 2}) {
    Result<FloatExecutor> executor = FloatExecutor::create(graph, {threads});
    ASSERT_TRUE(executor.ok()) << executor.status().message();
    Result<std::vector<Tensor>> outputs = executor->run({&input, 1});
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    for (std::size_t i = 0; i < outputs->size(); ++i) {
      std::span<const float> expected = known.at(graph.outputs[i]).data<float>();
      std::span<const float> actual = (*outputs)[i].data<float>();
      ASSERT_EQ((*outputs)[i].shape(), known.at(graph.outputs[i]).shape());
      for (std::size_t k = 0; k < expected.size(); ++k) {
        bool same = std::isnan(expected[k])   ? std::isnan(actual[k])
                    : std::isinf(expected[k]) ? actual[k] == expected[k]
                                              : std::abs(actual[k] - expected[k]) < kTolerance;
        ASSERT_TRUE(same) << graph.value(graph.outputs[i]).name << " " << k << ": " << actual[k] << ", not "
                          << expected[k];
      }
    }
  }
}

TEST(FloatExecutor, KeepsNansAndInfinities) {
  Random random(13);
  Graph graph;
  // 5 channels fill a block of 8 or 16 only in part.
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 5, 12, 12});
  ValueId w = graph.add_constant("w", random_tensor({5, 5, 1, 1}, random));
  ValueId low = graph.add_constant("low", Tensor::of<float>({}, {0.25F}));
  ValueId zero = graph.add_constant("zero", Tensor::of<float>({}, {0.0F}));
  ValueId six = graph.add_constant("six", Tensor::of<float>({}, {6.0F}));
  ValueId conv = graph.add_node(Op::kConv, "conv", {x, w}, "c");
  ValueId other = graph.add_node(Op::kConv, "other", {x, w}, "c2");
  Attributes pool = {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}};
  graph.outputs = {graph.add_node(Op::kRelu, "relu", {x}, "r"),
                   graph.add_node(Op::kRelu, "relu of conv", {conv}, "rc"),
                   graph.add_node(Op::kClip, "clip of conv", {other, zero, six}, "cc"),
                   graph.add_node(Op::kClip, "clip to six", {x, zero, six}, "c6"),
                   graph.add_node(Op::kClip, "clip above", {other, low}, "cl"),
                   graph.add_node(Op::kClip, "clip below", {x, kNoValue, six}, "ch"),
                   graph.add_node(Op::kMaxPool, "pool", {x}, "p", pool),
                   graph.add_node(Op::kMaxPool, "pool of conv", {other}, "pc", pool),
                   graph.add_node(Op::kGlobalMaxPool, "global", {x}, "g")};
  Tensor input = random_tensor({2, 5, 12, 12}, random);
  input.data<float>()[7] = kNan;
  input.data<float>()[400] = kInfinity;
  input.data<float>()[900] = -kInfinity;
  expect_nans_where_evaluated(graph, input);
}

TEST(FloatExecutor, RunsNodesWhoseFirstOutputIsNotThere) {
  Random random(19);
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {2, 1, 3});
  ValueId w = graph.add_constant("w", random_tensor({1, 4, 3}, random));
  ValueId r = graph.add_constant("r", random_tensor({1, 4, 4}, random));
  ValueId y = graph.add_node(Op::kRNN, "rnn", {x, w, r}, "y", {{"hidden_size", std::int64_t{4}}});
  Node& node = graph.nodes[0];
  node.outputs = {kNoValue, y};
  graph.outputs = {y};
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  Result<Tensor> state = executor->run(random_tensor({2, 1, 3}, random));
  ASSERT_TRUE(state.ok()) << state.status().message();
  EXPECT_EQ(state->shape(), (Shape{1, 1, 4}));
}

TEST(FloatExecutor, RunsOnNothingAndOnManyAxes) {
  Random random(17);
  Graph graph = conv_graph({{3, 9, 7}, {4, 3, 3, 3}, {}});
  graph.outputs = {graph.add_node(Op::kRelu, "relu", {graph.outputs[0]}, "r")};
  expect_nans_where_evaluated(graph, Tensor(ElementType::kFloat32, {0, 3, 9, 7}));

  Graph product;
  ValueId x = product.add_input("x", ElementType::kFloat32, {Dim("N"), Dim("K")});
  ValueId w = product.add_constant("w", Tensor(ElementType::kFloat32, {0, 3}));
  ValueId b = product.add_constant("b", random_tensor({3}, random));
  product.outputs = {product.add_node(Op::kGemm, "gemm", {x, w, b}, "y")};
  expect_nans_where_evaluated(product, Tensor(ElementType::kFloat32, {2, 0}));

  Graph axes;
  Shape many(13, 1);
  many[0] = 2;
  many[12] = 3;
  ValueId z = axes.add_input("z", ElementType::kFloat32, dims_of(many));
  ValueId zero = axes.add_constant("zero", Tensor::of<float>({}, {0.0F}));
  axes.outputs = {axes.add_node(Op::kRelu, "relu", {z}, "r"),
                  axes.add_node(Op::kClip, "clip", {z, zero}, "c")};
  expect_nans_where_evaluated(axes, random_tensor(many, random));
}

/// Two convolutions whose values have several readers and are outputs besides: no fusing, shared reorders.
TEST(FloatExecutor, RunsAGraphWithBranches) {
  Random random(11);
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 3, 8, 8});
  Attributes pads = {{"pads", Ints{1, 1, 1, 1}}};
  ValueId w1 = graph.add_constant("w1", random_tensor({16, 3, 3, 3}, random));
  ValueId w2 = graph.add_constant("w2", random_tensor({16, 16, 3, 3}, random));
  ValueId c1 = graph.add_node(Op::kConv, "conv1", {x, w1}, "c1", pads);
  ValueId r1 = graph.add_node(Op::kRelu, "relu1", {c1}, "r1");
  ValueId c2 = graph.add_node(Op::kConv, "conv2", {r1, w2}, "c2", pads);
  ValueId r2 = graph.add_node(Op::kRelu, "relu2", {c2}, "r2");
  ValueId p1 = graph.add_node(Op::kMaxPool, "pool", {c1}, "p1", {{"kernel_shape", Ints{2, 2}}});
  ValueId f1 = graph.add_node(Op::kFlatten, "flat1", {r2}, "f1");
  ValueId f2 = graph.add_node(Op::kFlatten, "flat2", {p1}, "f2", {{"axis", std::int64_t{2}}});
  graph.outputs = {f1, f2, c2};
  check_against_oracle(graph);
  check_against_oracle(graph, 1, 2);
}

TEST(FloatExecutor, FlattensWithoutWork) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2, 3});
  graph.outputs = {graph.add_node(Op::kFlatten, "flat", {x}, "y")};
  check_against_oracle(graph);
}

TEST(FloatExecutor, AnotherOneSharesTheWeightsAndRunsBesideIt) {
  Random random(5);
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 16, 9, 9});
  ValueId w = graph.add_constant("w", random_tensor({32, 16, 3, 3}, random));
  graph.outputs = {graph.add_node(Op::kConv, "conv", {x, w}, "y")};
  Tensor input = random_tensor({2, 16, 9, 9}, random);
  Result<FloatExecutor> first = FloatExecutor::create(graph, {1});
  ASSERT_TRUE(first.ok()) << first.status().message();
  Tensor expected = *first->run(input);
  std::vector<std::thread> threads;
  std::vector<Tensor> outputs(4);
  for (Tensor& output : outputs) {
    threads.emplace_back([&] {
      Result<FloatExecutor> other = first->another();
      output = *other->run(input);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Tensor& output : outputs) {
    EXPECT_EQ(output, expected);
  }
}

TEST(FloatExecutor, TakesAnyBatchSizeAndReturnsToEarlierOnes) {
  Graph graph = conv_graph({{3, 9, 7}, {4, 3, 3, 3}, {}});
  Random random(1);
  Result<FloatExecutor> executor = FloatExecutor::create(graph, {1});
  ASSERT_TRUE(executor.ok());
  std::vector<Tensor> inputs;
  std::vector<Tensor> first;
  for (std::int64_t batch = 1; batch <= 8; ++batch) {
    inputs.push_back(random_tensor({batch, 3, 9, 7}, random));
    Result<Tensor> y = executor->run(inputs.back());
    ASSERT_TRUE(y.ok()) << y.status().message();
    EXPECT_EQ(y->dim(0), batch);
    first.push_back(*std::move(y));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(*executor->run(inputs[i]), first[i]);
  }
}

TEST(FloatExecutor, ShowsOnlyTheValuesAskedFor) {
  Graph graph = conv_graph({{3, 9, 7}, {4, 3, 3, 3}, {}});
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  std::vector<Tensor> inputs = {Tensor(ElementType::kFloat32, {2, 3, 9, 7})};
  std::vector<ValueId> seen;
  ValueObserver observer{[&](ValueId id, const Tensor&) {
                           seen.push_back(id);
                           return Status();
                         },
                         {graph.outputs[0]}};
  ASSERT_TRUE(executor->run(inputs, observer).ok());
  EXPECT_EQ(seen, graph.outputs);
  observer.on_value = [](ValueId, const Tensor&) { return Status::corrupt("enough"); };
  EXPECT_EQ(executor->run(inputs, observer).status().message(), "enough");
}

TEST(FloatExecutor, SaysWhatDoesNotFit) {
  Graph graph = conv_graph({{3, 9, 7}, {4, 3, 3, 3}, {}});
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  EXPECT_EQ(executor->run(Tensor(ElementType::kFloat32, {2, 3, 9, 8})).status().message(),
            "input 'x' is [2, 3, 9, 8]; [N, 3, 9, 7] is needed");
  EXPECT_EQ(executor->run(Tensor(ElementType::kInt8, {2, 3, 9, 7})).status().message(),
            "input 'x' is int8; float32 is needed");
  EXPECT_EQ(executor->run(std::vector<Tensor>()).status().message(), "0 inputs are given; the graph has 1");
  EXPECT_EQ(FloatExecutor::create(graph, {-1}).status().message(),
            "the number of threads is -1; 0 (all) to 1024 is needed");
  EXPECT_FALSE(FloatExecutor::create(graph, {1 << 30}).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
