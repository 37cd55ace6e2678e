#include "zeropoint/toolchain/profile.h"

#include <algorithm>
#include <numeric>

#include "graph/geometry.h"
#include "graph/quant_nodes.h"

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

/// Whether a Clip's bounds are the first and last real of an n-bit type at the parameters of the
/// QuantizeLinear that alone reads it: apply_plan() puts it there for the bits, not for the network.
bool narrows_bits(const Graph& graph, const Node& clip, const std::vector<std::int32_t>& readers) {
  const Tensor* low = graph.constant(clip, 1);
  const Tensor* high = graph.constant(clip, 2);
  if (readers.size() != 1 || low == nullptr || high == nullptr || low->type() != ElementType::kFloat32 ||
      high->type() != ElementType::kFloat32 || low->size() != 1 || high->size() != 1) {
    return false;
  }
  const Node& reader = graph.nodes[static_cast<std::size_t>(readers[0])];
  Result<QuantNode> read = reader.op == Op::kQuantizeLinear
                               ? read_quant_node(graph, reader)
                               : Result<QuantNode>(Status::not_found("no QuantizeLinear"));
  if (!read.ok() || read->params.params.size() != 1) {
    return false;
  }
  QuantParams params = read->params.params[0];
  bool is_signed = storage_range(read->storage).q_min < 0;
  for (int bits = 2; bits < 8; ++bits) {
    QuantizedRange range = *QuantizedType{bits, is_signed}.range();
    if (low->data<float>()[0] == dequantize(range.q_min, params) &&
        high->data<float>()[0] == dequantize(range.q_max, params)) {
      return true;
    }
  }
  return false;
}

/// For each node, whether it only gives a tensor another form: what a float graph has no node for.
std::vector<bool> conversions(const Graph& graph) {
  std::vector<std::vector<std::int32_t>> readers = consumers(graph);
  std::vector<bool> result;
  for (const Node& node : graph.nodes) {
    result.push_back(node.op == Op::kQuantizeLinear || node.op == Op::kDequantizeLinear ||
                     (node.op == Op::kClip &&
                      narrows_bits(graph, node, readers[static_cast<std::size_t>(node.outputs[0])])));
  }
  return result;
}

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
std::int64_t peak(const Graph& graph, const std::vector<bool>& is_conversion) {
  std::vector<std::size_t> last_use(graph.values.size(), 0);
  std::vector<ValueId> stands_for(graph.values.size());
  std::iota(stands_for.begin(), stands_for.end(), 0);
  auto origin = [&](ValueId id) { return stands_for[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (is_conversion[i]) {
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
    if (!is_conversion[i]) {
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

/// What one output element of `node` sums over or compares, in real numbers, which do not overflow.
double cost_per_element(const Graph& graph, const Node& node) {
  double cost = 1;
  if (node.op == Op::kConv || node.op == Op::kGemm) {
    for (const Dim& dim : *graph.value(node.inputs[1]).dims) {
      cost *= static_cast<double>(dim.extent);
    }
  }
  if (node.op == Op::kMaxPool) {
    for (std::int64_t extent : ints_attribute(node, "kernel_shape")) {
      cost *= static_cast<double>(extent);
    }
  }
  return cost;
}

/// Whether all counts stay inside 63 bits: to declare hostile shapes needs no memory.
Status check_countable(const Graph& graph) {
  constexpr double kMost = 1e18;
  double total = 0;
  for (const Node& node : graph.nodes) {
    const Value& output = graph.value(node.outputs[0]);
    Result<std::int64_t> elements = element_count(shape_of(*output.dims, 1));
    ZP_RETURN_IF_ERROR(elements.status().at("tensor '" + output.name + "'"));
    total += 2 * static_cast<double>(*elements) * cost_per_element(graph, node);
    if (total > kMost) {
      return Status::unsupported("tensor '" + output.name + "' " + to_string(*output.dims) +
                                 " costs more than can be counted");
    }
  }
  return {};
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
    std::optional<Dims>& dims = graph.value(input).dims;
    if (!dims && input_shape.empty()) {
      return Status::invalid_argument("input '" + graph.value(input).name + "' has no shape");
    }
    dims = dims_of(input_shape.empty() ? shape_of(*dims, 1) : input_shape);
  }
  ZP_RETURN_IF_ERROR(infer_shapes(graph));
  ZP_RETURN_IF_ERROR(check_countable(graph));
  std::vector<std::int32_t> makers = producers(graph);
  Profile result;
  std::vector<bool> is_conversion = conversions(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (is_conversion[i]) {
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
  result.peak_activations = peak(graph, is_conversion);
  return result;
}

}  // namespace zeropoint::toolchain
