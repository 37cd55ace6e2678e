#include "simplify/layer_parameters.h"

#include <algorithm>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

/// The output channel that the element at row-major position `i` of the weights belongs to.
std::int64_t channel_of(const Node& layer, const Shape& shape, std::int64_t i) {
  if (layer.op == Op::kGemm) {
    return int_attribute(layer, "transB") != 0 ? i / shape[1] : i % shape[1];
  }
  std::int64_t plane = 1;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) {
    plane *= shape[axis];
  }
  if (layer.op == Op::kConv) {
    return i / (plane * shape[1]);
  }
  // ConvTranspose: [C, M / group, kernel...]; the group is that of the input channel.
  std::int64_t in_channel = i / (plane * shape[1]);
  std::int64_t group = in_channel / (shape[0] / int_attribute(layer, "group"));
  return group * shape[1] + i / plane % shape[1];
}

std::optional<std::int64_t> channel_count(const Node& layer, const Tensor& weights) {
  switch (layer.op) {
    case Op::kConv:
      return weights.dim(0);
    case Op::kConvTranspose:
      return weights.dim(1) * int_attribute(layer, "group");
    case Op::kGemm:
      if (float_attribute(layer, "alpha") != 1.0F || float_attribute(layer, "beta") != 1.0F) {
        return std::nullopt;
      }
      return weights.dim(int_attribute(layer, "transB") != 0 ? 0 : 1);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<LayerParameters> layer_parameters(const GraphView& view, ValueId result) {
  const Node* layer = view.maker(result);
  bool alone = layer != nullptr && view.has_one_reader(result) && layer->inputs.size() >= 2 &&
               !view.is_widely_shared(layer->inputs[1]);
  const Tensor* weights = alone ? view.floats(layer->inputs[1]) : nullptr;
  std::optional<std::int64_t> channels = weights == nullptr ? std::nullopt : channel_count(*layer, *weights);
  if (!channels) {
    return std::nullopt;
  }
  LayerParameters parameters{*weights, std::vector<double>(static_cast<std::size_t>(*channels), 0.0)};
  if (layer->has_input(2)) {
    const Tensor* bias = view.floats(layer->inputs[2]);
    if (bias == nullptr || (bias->size() != *channels && bias->size() != 1) || bias->rank() > 1) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < parameters.bias.size(); ++i) {
      parameters.bias[i] = bias->data<float>()[bias->size() == 1 ? 0 : i];
    }
  }
  return parameters;
}

std::optional<Node> scaled_layer(Graph& graph, NewNames& names, const Node& layer,
                                 const LayerParameters& parameters, const std::vector<double>& factors,
                                 const std::vector<double>& addends, ValueId output) {
  bool finite =
      std::all_of(factors.begin(), factors.end(), [](double factor) { return std::isfinite(factor); });
  if (!finite) {
    return std::nullopt;
  }
  Tensor weights = parameters.weights;
  std::span<float> elements = weights.data<float>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto channel = static_cast<std::size_t>(channel_of(layer, weights.shape(), static_cast<std::int64_t>(i)));
    elements[i] = static_cast<float>(elements[i] * factors[channel]);
  }
  std::vector<float> bias;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    bias.push_back(static_cast<float>(parameters.bias[i] * factors[i] + addends[i]));
  }
  Node node = layer;
  node.outputs = {output};
  std::string name = graph.value(layer.inputs[1]).name;
  node.inputs[1] = graph.add_constant(names.take(name + "_folded"), std::move(weights));
  std::string bias_name =
      layer.has_input(2) ? graph.value(layer.inputs[2]).name + "_folded" : layer.name + "_bias";
  node.inputs.resize(3, kNoValue);
  node.inputs[2] =
      graph.add_constant(names.take(bias_name), Tensor::of<float>({parameters.channels()}, bias));
  return node;
}

std::optional<std::vector<double>> per_channel(const Tensor& constant, std::int64_t channels,
                                               std::size_t rank) {
  const Shape& shape = constant.shape();
  if (shape.size() > rank) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    bool is_channel_axis = rank - shape.size() + i == 1;
    if (shape[i] != 1 && !(is_channel_axis && shape[i] == channels)) {
      return std::nullopt;
    }
  }
  std::vector<double> elements;
  for (std::int64_t i = 0; i < channels; ++i) {
    elements.push_back(constant.data<float>()[static_cast<std::size_t>(constant.size() == 1 ? 0 : i)]);
  }
  return elements;
}

}  // namespace zeropoint::toolchain
