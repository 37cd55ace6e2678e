// Before: Conv | ConvTranspose | Gemm -> Mul | Div | Add | Sub with a constant per channel, or one for all
// After:  the layer with other weights and bias
// When:   weights and bias are float32 constants, and nothing but that node reads the layer's result.
//     y * c = f y with f = c;  y / c: f = 1 / c;  y + c: addend c;  y - c: addend -c;  c - y: f = -1, addend
//     c

#include "simplify/layer_parameters.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

struct Affine {
  std::vector<double> factors;
  std::vector<double> addends;
};

/// What the node makes of a layer's output, its other operand being `constant` at input `side`.
Affine affine_of(const Node& node, std::size_t side, const std::vector<double>& constant) {
  Affine affine{std::vector<double>(constant.size(), 1.0), std::vector<double>(constant.size(), 0.0)};
  for (std::size_t i = 0; i < constant.size(); ++i) {
    if (node.op == Op::kMul) {
      affine.factors[i] = constant[i];
    } else if (node.op == Op::kDiv) {
      affine.factors[i] = 1.0 / constant[i];
    } else if (node.op == Op::kAdd) {
      affine.addends[i] = constant[i];
    } else {
      affine.factors[i] = side == 0 ? -1.0 : 1.0;
      affine.addends[i] = side == 0 ? constant[i] : -constant[i];
    }
  }
  return affine;
}

bool is_arithmetic(const Node& node) {
  return (node.op == Op::kMul || node.op == Op::kDiv || node.op == Op::kAdd || node.op == Op::kSub) &&
         node.inputs[0] != node.inputs[1];
}

}  // namespace

std::size_t fold_channel_arithmetic(Graph& graph) {
  GraphView view(graph);
  NewNames names(graph);
  std::size_t folded = 0;
  for (Node& node : graph.nodes) {
    if (!is_arithmetic(node)) {
      continue;
    }
    std::size_t side = view.floats(node.inputs[0]) != nullptr ? 0 : 1;
    const Tensor* constant = view.floats(node.inputs[side]);
    ValueId result = node.inputs[1 - side];
    const std::optional<Dims>& dims = graph.value(node.outputs[0]).dims;
    bool same_dims = dims && dims == graph.value(result).dims;
    if (constant == nullptr || !same_dims || (node.op == Op::kDiv && side == 0)) {
      continue;
    }
    std::optional<LayerParameters> layer = layer_parameters(view, result);
    std::optional<std::vector<double>> channels =
        layer ? per_channel(*constant, layer->channels(), dims->size()) : std::nullopt;
    if (!channels) {
      continue;
    }
    Affine affine = affine_of(node, side, *channels);
    Node before = *view.maker(result);
    std::optional<Node> changed =
        scaled_layer(graph, names, before, *layer, affine.factors, affine.addends, node.outputs[0]);
    if (changed) {
      node = *std::move(changed);
      ++folded;
    }
  }
  return folded;
}

}  // namespace zeropoint::toolchain
