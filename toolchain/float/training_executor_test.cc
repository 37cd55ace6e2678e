#include "zeropoint/toolchain/training_executor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "float/double_oracle.h"
#include "zeropoint/toolchain/architectures.h"

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;
using oracle::random_tensor;

/// Holds every gradient of sum(output * weight), with a random weight per output element, against central
/// differences in double precision. The step is small enough that no Relu or maximum changes its mind for the
/// seeds used here, and in double precision what rounding leaves is near 1e-9; float32 sums of at most a few
/// hundred terms differ by less than 1e-4.
void check_gradients(const Graph& graph, std::int64_t batch = 3, int threads = 1) {
  constexpr double kStep = 1e-6;
  constexpr double kTolerance = 1e-4;
  Random random(17);
  std::vector<Tensor> inputs;
  oracle::Values known;
  for (ValueId id : graph.inputs) {
    inputs.push_back(random_tensor(shape_of(*graph.value(id).dims, batch), random));
    known[id] = oracle::reals_of(inputs.back());
  }
  Result<TrainingExecutor> executor = TrainingExecutor::create(graph, {threads});
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  Result<std::vector<Tensor>> outputs = executor->forward(inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  std::vector<Tensor> weights;
  for (const Tensor& output : *outputs) {
    weights.push_back(random_tensor(output.shape(), random));
  }
  for (int repeat = 0; repeat < 2; ++repeat) {  // gradients are replaced, not summed
    Status status = executor->backward(weights);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  auto objective = [&](const oracle::Values& values) {
    oracle::Values all = oracle::evaluate(graph, values);
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      for (std::size_t e = 0; e < weights[i].data<float>().size(); ++e) {
        sum += static_cast<double>(weights[i].data<float>()[e]) * all.at(graph.outputs[i]).data[e];
      }
    }
    return sum;
  };
  for (const Parameter& parameter : executor->parameters()) {
    oracle::Values moved = known;
    moved[parameter.value] = oracle::reals_of(parameter.data);
    for (std::int64_t e = 0; e < parameter.data.size(); e += 1 + parameter.data.size() / 50) {
      auto i = static_cast<std::size_t>(e);
      double& element = moved[parameter.value].data[i];
      double at = element;
      element = at + kStep;
      double up = objective(moved);
      element = at - kStep;
      double slope = (up - objective(moved)) / (2 * kStep);
      element = at;
      ASSERT_NEAR(parameter.gradient.data<float>()[i], slope, kTolerance * std::max(1.0, std::abs(slope)))
          << parameter.name << " element " << e;
    }
  }
}

TEST(TrainingExecutor, GradientsOfConv) {
  struct Case {
    Shape input, weights;
    Attributes attributes;
    bool bias = true;
  };
  const Case cases[] = {
      {{1, 12, 12}, {6, 1, 5, 5}, {}},
      {{3, 9, 7}, {4, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}},
      {{3, 9, 7}, {4, 3, 3, 2}, {{"pads", Ints{0, 1, 2, 0}}, {"strides", Ints{2, 1}}}},
      {{3, 9, 8}, {5, 3, 3, 3}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}, false},
      {{2, 9, 9}, {4, 2, 3, 3}, {{"dilations", Ints{2, 2}}, {"pads", Ints{2, 2, 2, 2}}}},
      {{8, 6, 6}, {8, 1, 3, 3}, {{"group", std::int64_t{8}}, {"pads", Ints{1, 1, 1, 1}}}},
      {{6, 6, 6}, {4, 3, 3, 3}, {{"group", std::int64_t{2}}}},
      {{32, 5, 5}, {32, 16, 3, 3}, {{"group", std::int64_t{2}}, {"strides", Ints{2, 2}}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(zeropoint::to_string(c.input) + " " + zeropoint::to_string(c.weights));
    Random random(3);
    Graph graph;
    ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), c.input[0], c.input[1], c.input[2]});
    // A 1x1 convolution before it, so that the gradient of the data is needed as well.
    ValueId w0 = graph.add_constant("w0", random_tensor({c.input[0], c.input[0], 1, 1}, random));
    ValueId y = graph.add_node(Op::kConv, "before", {x, w0}, "y0");
    std::vector<ValueId> inputs = {y, graph.add_constant("w", random_tensor(c.weights, random))};
    if (c.bias) {
      inputs.push_back(graph.add_constant("b", random_tensor({c.weights[0]}, random)));
    }
    graph.outputs = {graph.add_node(Op::kConv, "conv", inputs, "y", c.attributes)};
    check_gradients(graph);
    check_gradients(graph, 5, 2);
  }
}

TEST(TrainingExecutor, GradientsOfGemm) {
  for (std::int64_t turned : {0, 1}) {
    Random random(4);
    Graph graph;
    ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 20});
    Attributes attributes = {{"transB", turned}};
    ValueId w1 = graph.add_constant("w1", random_tensor(turned != 0 ? Shape{30, 20} : Shape{20, 30}, random));
    ValueId b1 = graph.add_constant("b1", random_tensor({30}, random));
    ValueId w2 = graph.add_constant("w2", random_tensor(turned != 0 ? Shape{7, 30} : Shape{30, 7}, random));
    ValueId y = graph.add_node(Op::kGemm, "fc1", {x, w1, b1}, "y1", attributes);
    graph.outputs = {graph.add_node(Op::kGemm, "fc2", {y, w2}, "y2", attributes)};
    check_gradients(graph, 6);
  }
}

TEST(TrainingExecutor, GradientsThroughReluPoolAndFlatten) {
  const Attributes pools[] = {
      {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}},
      {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
      {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 3}}, {"ceil_mode", std::int64_t{1}}},
      {{"kernel_shape", Ints{2, 2}}},  // overlapping windows
  };
  for (const Attributes& pool : pools) {
    Random random(6);
    Graph graph;
    ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2, 9, 8});
    ValueId w = graph.add_constant("w", random_tensor({3, 2, 3, 3}, random));
    ValueId c = graph.add_node(Op::kConv, "conv", {x, w}, "c");
    ValueId r = graph.add_node(Op::kRelu, "relu", {c}, "r");
    ValueId p = graph.add_node(Op::kMaxPool, "pool", {r}, "p", pool);
    ValueId f = graph.add_node(Op::kFlatten, "flat", {p}, "f");
    ASSERT_TRUE(infer_shapes(graph).ok());
    std::int64_t features = (*graph.value(f).dims)[1].extent;
    ValueId v = graph.add_constant("v", random_tensor({features, 4}, random));
    graph.outputs = {graph.add_node(Op::kGemm, "fc", {f, v}, "y")};
    check_gradients(graph);
  }
}

/// A value with three readers, a weight used twice, and two outputs: gradients from all of them are summed.
TEST(TrainingExecutor, GradientsAreSummedWhereTheGraphBranches) {
  Random random(8);
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 4, 6, 6});
  Attributes pads = {{"pads", Ints{1, 1, 1, 1}}};
  ValueId w1 = graph.add_constant("w1", random_tensor({4, 4, 3, 3}, random));
  ValueId b1 = graph.add_constant("b1", random_tensor({4}, random));
  ValueId c1 = graph.add_node(Op::kConv, "conv1", {x, w1, b1}, "c1", pads);
  ValueId r1 = graph.add_node(Op::kRelu, "relu1", {c1}, "r1");
  ValueId c2 = graph.add_node(Op::kConv, "conv2", {r1, w1, b1}, "c2", pads);
  ValueId p1 = graph.add_node(Op::kMaxPool, "pool", {c1}, "p1", {{"kernel_shape", Ints{2, 2}}});
  ValueId f1 = graph.add_node(Op::kFlatten, "flat", {c1}, "f1");
  ValueId f2 = graph.add_node(Op::kFlatten, "flat2", {c2}, "f2");
  graph.outputs = {p1, f1, c1, f2};
  check_gradients(graph);
}

TEST(TrainingExecutor, GradientsOfLeNet) { check_gradients(*make_architecture("lenet", {.seed = 5}), 2); }

/// y = 2 (1x + 3) by hand: dy/dw1 = 2x, dy/db1 = 2, dy/dw2 = wx + b.
TEST(TrainingExecutor, GradientsByHand) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1});
  ValueId w1 = graph.add_constant("w1", Tensor::of<float>({1, 1}, {1}));
  ValueId b1 = graph.add_constant("b1", Tensor::of<float>({1}, {3}));
  ValueId w2 = graph.add_constant("w2", Tensor::of<float>({1, 1}, {2}));
  ValueId h = graph.add_node(Op::kGemm, "fc1", {x, w1, b1}, "h");
  graph.outputs = {graph.add_node(Op::kGemm, "fc2", {h, w2}, "y")};
  Result<TrainingExecutor> executor = TrainingExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  EXPECT_EQ(*executor->forward(Tensor::of<float>({2, 1}, {5, -1})), Tensor::of<float>({2, 1}, {16, 4}));
  ASSERT_TRUE(executor->backward(Tensor::of<float>({2, 1}, {1, 10})).ok());
  std::span<Parameter> parameters = executor->parameters();
  EXPECT_EQ(parameters[0].gradient, Tensor::of<float>({1, 1}, {2 * 5 - 10 * 2 * 1}));
  EXPECT_EQ(parameters[1].gradient, Tensor::of<float>({1}, {2 + 20}));
  EXPECT_EQ(parameters[2].gradient, Tensor::of<float>({1, 1}, {8 + 10 * 2}));

  parameters[2].data.data<float>()[0] = -1;
  EXPECT_EQ(*executor->forward(Tensor::of<float>({1, 1}, {5})), Tensor::of<float>({1, 1}, {-8}));
  Graph trained = executor->trained_graph();
  EXPECT_EQ(*trained.value(w2).constant, Tensor::of<float>({1, 1}, {-1}));
  EXPECT_EQ(*graph.value(w2).constant, Tensor::of<float>({1, 1}, {2}));
}

TEST(TrainingExecutor, SaysWhatCannotBeTrained) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2});
  ValueId w = graph.add_constant("w", Tensor(ElementType::kFloat32, {2, 2}));
  ValueId h = graph.add_node(Op::kGemm, "fc", {x, w}, "h");
  graph.outputs = {h};
  Result<TrainingExecutor> executor = TrainingExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  Tensor gradient(ElementType::kFloat32, {3, 2});
  EXPECT_EQ(executor->backward(gradient).message(), "backward() needs a forward() before it");
  ASSERT_TRUE(executor->forward(Tensor(ElementType::kFloat32, {1, 2})).ok());
  EXPECT_EQ(executor->backward(gradient).message(),
            "the gradient of 'h' is float32 [3, 2]; float32 [1, 2] is needed");

  graph.outputs = {graph.add_node(Op::kClip, "clip", {h}, "y")};
  executor = TrainingExecutor::create(graph);
  ASSERT_TRUE(executor.ok());
  ASSERT_TRUE(executor->forward(Tensor(ElementType::kFloat32, {3, 2})).ok());
  EXPECT_EQ(executor->backward(gradient).message(), "Clip 'clip': this operator cannot be trained through");

  Graph empty;
  empty.outputs = {
      empty.add_node(Op::kRelu, "relu", {empty.add_input("x", ElementType::kFloat32, {2})}, "y")};
  EXPECT_EQ(TrainingExecutor::create(empty).status().message(), "the graph has no float32 weights to train");
}

}  // namespace
}  // namespace zeropoint::toolchain
