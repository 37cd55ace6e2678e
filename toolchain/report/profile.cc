#include "zeropoint/toolchain/profile.h"

#include <algorithm>
#include <numeric>

#include "graph/geometry.h"

namespace zeropoint::toolchain {
namespace {

std::int64_t product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// The constant behind an input, directly or through DequantizeLinear; nullptr when it is computed.
const Tensor* constant_behind(const Graph& graph, const Node& node, std::size_t input,
                              const std::vector<std::int32_t>& makers) {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) {
    return nullptr;
  }
  std::int32_t maker = makers[static_cast<std::size_t>(node.inputs[input])];
  if (maker >= 0 && graph.nodes[static_cast<std::size_t>(maker)].op == Op::kDequantizeLinear) {
    return graph.constant(graph.nodes[static_cast<std::size_t>(maker)], 0);
  }
  return graph.constant(node, input);
}

bool is_conversion(Op op) { return op == Op::kQuantizeLinear || op == Op::kDequantizeLinear; }

LayerProfile count(const Graph& graph, const Node& node, const std::vector<std::int32_t>& makers) {
  Shape output = shape_of(*graph.value(node.outputs[0]).dims, 1);
  LayerProfile layer{node.name, node.op, output, 0, 0, 0, 0, 0, product(output)};
  const Tensor* weights = constant_behind(graph, node, 1, makers);
  switch (node.op) {
    case Op::kConv:
    case Op::kGemm: {
      if (weights != nullptr) {
        const Tensor* bias = constant_behind(graph, node, 2, makers);
        layer.weights = weights->size();
        layer.parameters = layer.weights + (bias == nullptr ? 0 : bias->size());
        layer.channels = layer.output[1];
      }
      // Every output element sums over one row of the weights.
      Shape w = shape_of(*graph.value(node.inputs[1]).dims, 1);
      layer.multiply_adds = layer.activations * (product(w) / std::max<std::int64_t>(1, layer.output[1]));
      layer.flops = 2 * layer.multiply_adds;
      return layer;
    }
    case Op::kMaxPool: {
      std::vector<std::int64_t> kernel = ints_attribute(node, "kernel_shape");
      layer.flops = layer.activations * (product(kernel) - 1);
      return layer;
    }
    case Op::kRelu:
    case Op::kClip:
      layer.flops = layer.activations;
      return layer;
    default:
      return layer;
  }
}

/// The most elements alive at once. Conversions give another form of the same tensor, which counts once.
std::int64_t peak(const Graph& graph) {
  std::vector<std::size_t> last_use(graph.values.size(), 0);
  std::vector<ValueId> stands_for(graph.values.size());
  std::iota(stands_for.begin(), stands_for.end(), 0);
  auto origin = [&](ValueId id) { return stands_for[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (is_conversion(node.op)) {
      stands_for[static_cast<std::size_t>(node.outputs[0])] = origin(node.inputs[0]);
    }
    for (ValueId input : node.inputs) {
      if (input != kNoValue) {
        last_use[static_cast<std::size_t>(origin(input))] = i;
      }
    }
  }
  for (ValueId output : graph.outputs) {
    last_use[static_cast<std::size_t>(origin(output))] = graph.nodes.size();
  }
  auto elements = [&](ValueId id) { return product(shape_of(*graph.value(id).dims, 1)); };
  std::vector<ValueId> alive(graph.inputs);
  std::int64_t most = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!is_conversion(node.op)) {
      alive.push_back(node.outputs[0]);
    }
    std::int64_t now = 0;
    for (ValueId id : alive) {
      now += elements(id);
    }
    most = std::max(most, now);
    alive.erase(std::remove_if(alive.begin(), alive.end(),
                               [&](ValueId id) { return last_use[static_cast<std::size_t>(id)] <= i; }),
                alive.end());
  }
  return most;
}

}  // namespace

std::int64_t Profile::model_bytes(int weight_bits) const {
  if (weight_bits == 32) {
    return parameters * 4;
  }
  return (weights * weight_bits + 7) / 8 + (parameters - weights) * 4 + channels * 4;
}

Result<Profile> profile(const Graph& original, const Shape& input_shape) {
  Graph graph = original;
  for (ValueId input : graph.inputs) {
    Dims& dims = *graph.value(input).dims;
    dims = dims_of(input_shape.empty() ? shape_of(dims, 1) : input_shape);
  }
  ZP_RETURN_IF_ERROR(infer_shapes(graph));
  std::vector<std::int32_t> makers = producers(graph);
  Profile result;
  for (const Node& node : graph.nodes) {
    if (is_conversion(node.op)) {
      continue;
    }
    LayerProfile layer = count(graph, node, makers);
    result.parameters += layer.parameters;
    result.weights += layer.weights;
    result.channels += layer.channels;
    result.multiply_adds += layer.multiply_adds;
    result.flops += layer.flops;
    result.activations += layer.activations;
    result.layers.push_back(std::move(layer));
  }
  result.peak_activations = peak(graph);
  return result;
}

}  // namespace zeropoint::toolchain
