#pragma once

// A network with a depthwise convolution whose channels are uneven, samples for it, and plans of it.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "quantize/improve/sample_chunks.h"
#include "zeropoint/toolchain/calibrate.h"
#include "zeropoint/toolchain/quantize.h"
#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain::improve {

template <typename T>
T expect_ok(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  return *std::move(result);
}

/// Normal, row r of axis 0 times 10^uniform(-spread, spread).
inline Tensor uneven(Shape shape, Random& random, double deviation, double spread = 0) {
  Tensor tensor(ElementType::kFloat32, std::move(shape));
  auto rows = static_cast<std::size_t>(tensor.dim(0));
  std::size_t row = static_cast<std::size_t>(tensor.size()) / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    double factor = deviation * std::pow(10.0, random.uniform(-spread, spread));
    for (float& element : tensor.data<float>().subspan(r * row, row)) {
      element = static_cast<float>(random.normal() * factor);
    }
  }
  return tensor;
}

/// input [N, 3, 6, 6] -> Conv first (8 channels, 3x3) a -> `activation` b -> Conv depthwise (8, 3x3) c ->
/// Relu d -> Conv last (5, 1x1, no bias) e -> MaxPool f -> Flatten g -> Gemm fc (4) y.
inline Graph network(Op activation = Op::kRelu, double spread = 1) {
  Random random(11);
  Graph graph;
  ValueId x = graph.add_input("input", ElementType::kFloat32, {Dim("N"), 3, 6, 6});
  std::vector<std::int64_t> pads{1, 1, 1, 1};
  std::vector<std::int64_t> six{6, 6};
  auto constant = [&](const std::string& name, Shape shape, double deviation) {
    return graph.add_constant(name, uneven(std::move(shape), random, deviation, spread));
  };
  ValueId w = constant("first.w", {8, 3, 3, 3}, 0.3);
  ValueId bias = constant("first.b", {8}, 0.3);
  ValueId a = graph.add_node(Op::kConv, "first", {x, w, bias}, "a", {{"pads", pads}});
  std::vector<ValueId> inputs{a};
  if (activation == Op::kClip) {
    inputs.push_back(graph.add_constant("low", Tensor::of<float>({}, {0.0F})));
    inputs.push_back(graph.add_constant("high", Tensor::of<float>({}, {6.0F})));
  }
  ValueId b = graph.add_node(activation, "activation", inputs, "b");
  w = constant("depthwise.w", {8, 1, 3, 3}, 0.5);
  bias = constant("depthwise.b", {8}, 0.3);
  ValueId c =
      graph.add_node(Op::kConv, "depthwise", {b, w, bias}, "c", {{"pads", pads}, {"group", std::int64_t{8}}});
  ValueId d = graph.add_node(Op::kRelu, "relu", {c}, "d");
  w = constant("last.w", {5, 8, 1, 1}, 0.5);
  ValueId e = graph.add_node(Op::kConv, "last", {d, w}, "e");
  ValueId f = graph.add_node(Op::kMaxPool, "pool", {e}, "f", {{"kernel_shape", six}});
  ValueId g = graph.add_node(Op::kFlatten, "flatten", {f}, "g");
  w = constant("fc.w", {4, 5}, 0.5);
  bias = constant("fc.b", {4}, 0.5);
  graph.outputs = {graph.add_node(Op::kGemm, "fc", {g, w, bias}, "y", {{"transB", std::int64_t{1}}})};
  EXPECT_TRUE(infer_shapes(graph).ok());
  return graph;
}

/// `count` samples of a shape, normal, in chunks of 8.
inline SampleChunks samples(std::int64_t count, Shape shape = {3, 6, 6}, std::uint64_t seed = 5) {
  Random random(seed);
  SampleChunks chunks;
  chunks.inputs.resize(1);
  shape.insert(shape.begin(), 0);
  for (; chunks.samples < count; chunks.samples += shape[0]) {
    shape[0] = std::min<std::int64_t>(8, count - chunks.samples);
    chunks.inputs[0].push_back(uneven(shape, random, 1));
  }
  return chunks;
}

/// Ranges of all float tensors over those samples.
inline RangeTable ranges_over(const Graph& graph, const SampleChunks& chunks) {
  Team team(1);
  std::vector<ValueId> wanted;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant == nullptr) {
      wanted.push_back(static_cast<ValueId>(i));
    }
  }
  RangeTable table{"minmax", chunks.samples, "test", {}};
  std::vector<const std::vector<Tensor>*> inputs{&chunks.inputs[0]};
  Status status = run_chunks(graph, inputs, wanted, team, [&](std::size_t, ValueId id, const Tensor& t) {
    RealRange& range = table.ranges[graph.value(id).name];
    for (float v : t.data<float>()) {
      range = {std::min(range.r_min, v), std::max(range.r_max, v)};
    }
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return table;
}

inline QuantPlan plan_of(const Graph& graph, const SampleChunks& chunks, int weight_bits = 8,
                         bool per_channel = true) {
  Recipe recipe;
  recipe.weights.bits = weight_bits;
  recipe.per_channel = per_channel;
  return expect_ok(make_plan(graph, ranges_over(graph, chunks), recipe));
}

/// All of a value, over all chunks.
inline std::vector<float> values_of(const Graph& graph, std::string_view name, const SampleChunks& chunks) {
  Team team(1);
  std::vector<const std::vector<Tensor>*> inputs{&chunks.inputs[0]};
  std::vector<float> all;
  Status status =
      run_chunks(graph, inputs, {graph.find(name)}, team, [&](std::size_t, ValueId, const Tensor& tensor) {
        all.insert(all.end(), tensor.data<float>().begin(), tensor.data<float>().end());
        return Status();
      });
  EXPECT_TRUE(status.ok()) << status.message();
  return all;
}

inline double squared_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return sum;
}

}  // namespace zeropoint::toolchain::improve
