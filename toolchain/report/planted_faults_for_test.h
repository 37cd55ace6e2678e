#pragma once

// Faults planted into quantized networks, for tests of what finds them.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "report/quantized_points.h"

namespace zeropoint::toolchain::faults {

/// Gives `node` another constant for one of its inputs.
inline void replace_input(Graph& graph, std::size_t node, std::size_t input, Tensor tensor) {
  std::string name = graph.value(graph.nodes[node].inputs[input]).name + " spoiled " + std::to_string(node);
  graph.nodes[node].inputs[input] = graph.add_constant(std::move(name), std::move(tensor));
}

/// The nodes that round `point`, and those that dequantize it.
inline std::vector<std::size_t> pair_of(const Graph& graph, const QuantizedPoint& point) {
  std::vector<std::size_t> nodes;
  std::vector<std::int32_t> makers = producers(graph);
  for (ValueId result : point.results) {
    nodes.push_back(static_cast<std::size_t>(makers[static_cast<std::size_t>(result)]));
  }
  nodes.push_back(
      static_cast<std::size_t>(makers[static_cast<std::size_t>(graph.nodes[nodes.front()].inputs[0])]));
  return nodes;
}

/// Multiplies the scale of an activation, in QuantizeLinear and DequantizeLinear alike.
inline void spoil_scale(Graph& graph, const QuantizedPoint& point, float factor) {
  for (std::size_t node : pair_of(graph, point)) {
    Tensor scale = *graph.constant(graph.nodes[node], 1);
    for (float& s : scale.data<float>()) {
      s *= factor;
    }
    replace_input(graph, node, 1, std::move(scale));
  }
}

/// Moves the zero point of an activation to the middle of what is left to the nearer end of the integers.
inline void shift_zero_point(Graph& graph, const QuantizedPoint& point, std::int64_t steps) {
  for (std::size_t node : pair_of(graph, point)) {
    Tensor zero_point = *graph.constant(graph.nodes[node], 2);
    visit_integer(zero_point.type(), [&](auto element) {
      QuantizedRange range = storage_range(zero_point.type());
      for (auto& z : zero_point.data<decltype(element)>()) {
        bool upwards = static_cast<std::int64_t>(z) + steps <= range.q_max;
        z = static_cast<decltype(element)>(static_cast<std::int64_t>(z) + (upwards ? steps : -steps));
      }
    });
    replace_input(graph, node, 2, std::move(zero_point));
  }
}

/// The DequantizeLinear of a product's weights (1) or bias (2).
inline std::optional<std::size_t> constant_of(const Graph& graph, const QuantizedPoint& point,
                                              std::size_t input) {
  std::vector<std::int32_t> makers = producers(graph);
  const Node* product = product_behind(graph, makers, point.real);
  if (product == nullptr || !product->has_input(input)) {
    return std::nullopt;
  }
  std::int32_t node = makers[static_cast<std::size_t>(product->inputs[input])];
  return node < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(node));
}

/// Multiplies the scales of a product's weights (input 1) or bias (input 2): all of them, or that of
/// `channel`.
inline bool spoil_constant(Graph& graph, const QuantizedPoint& point, std::size_t input, float factor,
                           std::optional<std::size_t> channel = {}) {
  std::optional<std::size_t> node = constant_of(graph, point, input);
  if (!node) {
    return false;
  }
  Tensor scale = *graph.constant(graph.nodes[*node], 1);
  std::span<float> scales = scale.data<float>();
  if (channel) {
    scales[*channel % scales.size()] *= factor;
  } else {
    for (float& s : scales) {
      s *= factor;
    }
  }
  replace_input(graph, *node, 1, std::move(scale));
  return true;
}

}  // namespace zeropoint::toolchain::faults
