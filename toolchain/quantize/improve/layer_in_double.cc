#include "quantize/improve/layer_in_double.h"

#include <algorithm>

#include "quantize/improve/quantized_layers.h"

namespace zeropoint::toolchain {

LayerInDouble LayerInDouble::of(const Graph& graph, const Node& layer) {
  std::span<const float> weights = graph.constant(layer, 1)->data<float>();
  LayerInDouble result{WeightRows::of(graph, layer), {weights.begin(), weights.end()}, {}};
  if (layer.has_input(2)) {
    std::span<const float> bias = graph.constant(layer, 2)->data<float>();
    result.bias.assign(bias.begin(), bias.end());
  }
  return result;
}

void LayerInDouble::write(Graph& graph, const Node& layer) const {
  auto store = [&](std::size_t input, const std::vector<double>& values) {
    Tensor tensor = *graph.constant(layer, input);
    std::transform(values.begin(), values.end(), tensor.data<float>().begin(),
                   [](double value) { return static_cast<float>(value); });
    set_constant(graph, layer.inputs[input], std::move(tensor));
  };
  store(1, weights);
  if (!bias.empty()) {
    store(2, bias);
  }
}

}  // namespace zeropoint::toolchain
