#pragma once

// A quantized network written down node by node, for tests that then change one thing about it.

#include <string>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain::qdq {

inline ValueId scalar(Graph& graph, const std::string& name, float value) {
  return graph.add_constant(name, Tensor::of<float>({}, {value}));
}

/// QuantizeLinear and DequantizeLinear behind `real`, as uint8: tensors name_q and name_dq.
inline ValueId quantized(Graph& graph, const std::string& name, ValueId real, float scale,
                         std::uint8_t zero_point) {
  ValueId s = scalar(graph, name + "_scale", scale);
  ValueId z = graph.add_constant(name + "_zero", Tensor::of<std::uint8_t>({}, {zero_point}));
  ValueId q = graph.add_node(Op::kQuantizeLinear, name + "_quantize", {real, s, z}, name + "_q");
  return graph.add_node(Op::kDequantizeLinear, name + "_dequantize", {q, s, z}, name + "_dq");
}

/// Integers behind a DequantizeLinear with one scale per index of `axis`, zero point 0.
inline ValueId constant(Graph& graph, const std::string& name, Tensor integers,
                        const std::vector<float>& scales, std::int64_t axis) {
  auto count = static_cast<std::int64_t>(scales.size());
  ValueId s = graph.add_constant(name + "_scale", Tensor::of<float>({count}, scales));
  ValueId q = graph.add_constant(name + "_q", std::move(integers));
  return graph.add_node(Op::kDequantizeLinear, name + "_dequantize", {q, s}, name + "_dq", {{"axis", axis}});
}

inline Attributes window(std::int64_t extent) {
  return {{"kernel_shape", std::vector<std::int64_t>{extent, extent}}};
}

/// The layers whose activations a test wants between layer and QuantizeLinear.
using Activations = ValueId (*)(Graph&, ValueId);
inline ValueId relu(Graph& graph, ValueId x) { return graph.add_node(Op::kRelu, "relu", {x}, "r"); }

/// x [N, 1, 4, 4] at scale 0.5, zero point 10 -> Conv w [2, 1, 2, 2] -> activations -> a at scale 1, zero
/// point 5 -> MaxPool 2 -> Flatten -> Gemm u [3, 8] -> y, not quantized.
inline Graph network(Activations activations = relu) {
  Graph graph;
  graph.name = "qdq";
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1, 4, 4});
  ValueId w = constant(graph, "w", Tensor::of<std::int8_t>({2, 1, 2, 2}, {1, -2, 3, 4, -5, 6, 7, 8}),
                       {0.25F, 0.5F}, 0);
  ValueId b = constant(graph, "b", Tensor::of<std::int32_t>({2}, {100, -50}), {0.125F, 0.25F}, 0);
  ValueId xq = quantized(graph, "x", x, 0.5F, 10);
  ValueId c = graph.add_node(Op::kConv, "conv", {xq, w, b}, "c");
  ValueId a = quantized(graph, "a", activations(graph, c), 1, 5);
  ValueId p = quantized(graph, "p", graph.add_node(Op::kMaxPool, "pool", {a}, "p", window(2)), 1, 5);
  ValueId f = quantized(graph, "f", graph.add_node(Op::kFlatten, "flatten", {p}, "f"), 1, 5);
  Tensor u(ElementType::kInt8, {3, 8});
  for (std::size_t i = 0; i < 24; ++i) {
    u.data<std::int8_t>()[i] = static_cast<std::int8_t>(static_cast<int>(i) * 7 % 23 - 11);
  }
  ValueId u_dq = constant(graph, "u", std::move(u), {0.5F}, 0);
  ValueId v = constant(graph, "v", Tensor::of<std::int32_t>({3}, {1, 2, 3}), {0.5F}, 0);
  graph.outputs = {graph.add_node(Op::kGemm, "gemm", {f, u_dq, v}, "y", {{"transB", std::int64_t{1}}})};
  return graph;
}

inline Node& node(Graph& graph, std::string_view name) {
  for (Node& found : graph.nodes) {
    if (found.name == name) {
      return found;
    }
  }
  std::abort();
}

/// Gives the constant `name` another value.
inline void replace(Graph& graph, std::string_view name, Tensor tensor) {
  Value& value = graph.value(graph.find(name));
  value.type = tensor.type();
  value.dims = dims_of(tensor.shape());
  value.constant = std::make_shared<const Tensor>(std::move(tensor));
}

}  // namespace zeropoint::toolchain::qdq
