#pragma once

// A float network of one branch, ranges for it, and plans of it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain::plans {

/// input [N, 2, 4, 4] -> Conv conv.w [2, 2, 3, 3] -> c -> Relu r -> MaxPool p [N, 2, 1, 1] -> Flatten f
/// -> Gemm fc.w [3, 2] -> y.
inline Graph network() {
  Graph graph;
  graph.name = "net";
  graph.metadata["made"] = "by hand";
  ValueId x = graph.add_input("input", ElementType::kFloat32, {Dim("N"), 2, 4, 4});
  Tensor w(ElementType::kFloat32, {2, 2, 3, 3});
  for (std::size_t i = 0; i < 36; ++i) {
    w.data<float>()[i] = static_cast<float>(i) / 20 - 1;
  }
  ValueId cw = graph.add_constant("conv.w", std::move(w));
  ValueId cb = graph.add_constant("conv.b", Tensor::of<float>({2}, {0.5F, -0.25F}));
  ValueId c = graph.add_node(Op::kConv, "conv", {x, cw, cb}, "c");
  ValueId r = graph.add_node(Op::kRelu, "relu", {c}, "r");
  std::vector<std::int64_t> two{2, 2};
  ValueId p = graph.add_node(Op::kMaxPool, "pool", {r}, "p", {{"kernel_shape", two}});
  ValueId f = graph.add_node(Op::kFlatten, "flatten", {p}, "f");
  ValueId fw = graph.add_constant("fc.w", Tensor::of<float>({3, 2}, {1, -2, 3, -4, 5, -6}));
  ValueId fb = graph.add_constant("fc.b", Tensor::of<float>({3}, {1, 2, 3}));
  graph.outputs = {graph.add_node(Op::kGemm, "fc", {f, fw, fb}, "y", {{"transB", std::int64_t{1}}})};
  EXPECT_TRUE(infer_shapes(graph).ok());
  return graph;
}

inline RangeTable ranges() {
  return {
      "minmax",
      7,
      "hand",
      {{"input", {-1, 1}}, {"c", {-3, 5}}, {"r", {0, 5.1F}}, {"p", {0, 5}}, {"f", {0, 5}}, {"y", {1, 9}}}};
}

inline QuantPlan plan_of(const Recipe& recipe = {}, const Graph& graph = network()) {
  Result<QuantPlan> plan = make_plan(graph, ranges(), recipe);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return plan.ok() ? *plan : QuantPlan{};
}

inline const Decision& decision(const QuantPlan& plan, std::string_view tensor) {
  static const Decision missing = [] {
    Decision none;
    none.params.params.resize(3);  // tests go on and look at them
    return none;
  }();
  const Decision* found = plan.find(tensor);
  EXPECT_NE(found, nullptr) << tensor;
  return found == nullptr ? missing : *found;
}

inline Decision& decision(QuantPlan& plan, std::string_view tensor) {
  return const_cast<Decision&>(decision(static_cast<const QuantPlan&>(plan), tensor));
}

inline void replace(Graph& graph, std::string_view name, Tensor tensor) {
  Value& value = graph.value(graph.find(name));
  value.type = tensor.type();
  value.dims = dims_of(tensor.shape());
  value.constant = std::make_shared<const Tensor>(std::move(tensor));
}

}  // namespace zeropoint::toolchain::plans
