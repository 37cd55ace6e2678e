// Products with constant weights, and the accumulators of those whose result is not rounded.

#include "compile/graph_lowering.h"

namespace zeropoint::toolchain {

bool is_layer(const Graph& graph, const Node& node, const std::vector<std::int32_t>& producers) {
  switch (node.op) {
    case Op::kConv:
    case Op::kConvTranspose:
    case Op::kGemm:
      return true;
    case Op::kMatMul: {
      const std::optional<Dims>& dims = graph.value(node.inputs[1]).dims;
      std::int32_t maker = producers[static_cast<std::size_t>(node.inputs[1])];
      const Node* dequantize = maker < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(maker)];
      return dims && dims->size() == 2 && dequantize != nullptr && dequantize->op == Op::kDequantizeLinear &&
             graph.constant(*dequantize, 0) != nullptr;
    }
    default:
      return false;
  }
}

Result<LayerConstants> GraphLowering::layer_constants(const Node& node) const {
  ZP_ASSIGN_OR_RETURN(QuantizedView input, operand(node, 0));
  ZP_ASSIGN_OR_RETURN(LayerConstants constants, read_layer(graph_, node, producers_, input.params));
  if (node.op == Op::kConv || node.op == Op::kConvTranspose) {
    const Shape& w = constants.weights.shape();
    ZP_RETURN_IF_ERROR(window_of(graph_, node, {w.begin() + 2, w.end()}).status());
  }
  return constants;
}

Status GraphLowering::add_layer(const Node& node, LayerConstants&& constants, TensorId output,
                                std::optional<Requantization> requantization) {
  ZP_ASSIGN_OR_RETURN(QuantizedView input, operand(node, 0));
  Shape w = constants.weights.shape();
  LinearLayer layer{std::move(constants.weights), std::move(constants.folded_bias), ElementType::kInt32,
                    std::move(requantization)};
  if (node.op == Op::kGemm || node.op == Op::kMatMul) {
    builder_.add(FullyConnectedOp{input.tensor, output, std::move(layer)});
    return {};
  }
  ZP_ASSIGN_OR_RETURN(Window window, window_of(graph_, node, {w.begin() + 2, w.end()}));
  builder_.add(ConvOp{input.tensor, output, std::move(layer), std::move(window), int_attribute(node, "group"),
                      input.params.zero_point});
  return {};
}

Status GraphLowering::lower_layer(const Node& node, const Target& target, TensorId output) {
  ZP_ASSIGN_OR_RETURN(LayerConstants constants, layer_constants(node));
  ZP_ASSIGN_OR_RETURN(Requantization requantization,
                      requantization_of(constants, target.quantization(), mode_));
  return add_layer(node, std::move(constants), output, std::move(requantization));
}

/// The layer's sums, and how they become reals; the operation's output is for the caller to choose.
Result<DequantizeOp> GraphLowering::accumulator(ValueId id, const Node& node) {
  auto found = accumulators_.find(id);
  if (found != accumulators_.end()) {
    return found->second;
  }
  ZP_ASSIGN_OR_RETURN(LayerConstants constants, layer_constants(node));
  const Value& value = graph_.value(id);
  TensorId sums = builder_.add_tensor(value.name + "_accumulator", ElementType::kInt32, value.dims);
  bool last_axis = node.op == Op::kGemm || node.op == Op::kMatMul;
  DequantizeOp op{sums, kNoTensor, {constants.accumulator_scales, 0, last_axis ? -1 : 1}};
  ZP_RETURN_IF_ERROR(add_layer(node, std::move(constants), sums, std::nullopt));
  accumulators_.emplace(id, op);
  return op;
}

}  // namespace zeropoint::toolchain
