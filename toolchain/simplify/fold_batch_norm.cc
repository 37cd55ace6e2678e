// Before: Conv | ConvTranspose | Gemm -> BatchNormalization (inference)
// After:  the layer with other weights and bias
// When:   weights, bias and all four parameters are float32 constants; nothing but the BatchNormalization
//         reads the layer's result, and nothing its further outputs.
//     (y - mean) * scale / sqrt(var + epsilon) + B = y * f + (B - mean * f)
//     with f = scale / sqrt(var + epsilon)

#include <cmath>

#include "simplify/layer_parameters.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {

std::size_t fold_batch_norm(Graph& graph) {
  GraphView view(graph);
  NewNames names(graph);
  std::size_t folded = 0;
  for (Node& norm : graph.nodes) {
    if (norm.op != Op::kBatchNormalization || int_attribute(norm, "training_mode") != 0) {
      continue;
    }
    std::optional<LayerParameters> layer = layer_parameters(view, norm.inputs[0]);
    const Tensor* parameters[4];
    bool constant = layer.has_value();
    for (std::size_t i = 0; constant && i < 4; ++i) {
      parameters[i] = view.floats(norm.inputs[i + 1]);
      constant = parameters[i] != nullptr && parameters[i]->size() == layer->channels();
    }
    if (!constant) {
      continue;
    }
    std::vector<double> factors;
    std::vector<double> addends;
    for (std::size_t i = 0; i < layer->bias.size(); ++i) {
      auto parameter = [&](std::size_t k) { return double{parameters[k]->data<float>()[i]}; };
      factors.push_back(parameter(0) / std::sqrt(parameter(3) + double{float_attribute(norm, "epsilon")}));
      addends.push_back(parameter(1) - parameter(2) * factors.back());
    }
    Node before = *view.maker(norm.inputs[0]);
    if (std::optional<Node> node =
            scaled_layer(graph, names, before, *layer, factors, addends, norm.outputs[0])) {
      norm = *std::move(node);
      ++folded;
    }
  }
  return folded;
}

}  // namespace zeropoint::toolchain
