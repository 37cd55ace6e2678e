#include "zeropoint/toolchain/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compile/lower_layer.h"
#include "graph/quant_nodes.h"

namespace zeropoint::toolchain {
namespace {

/// A quantized activation: where a float value of the graph comes from.
struct Quantized {
  TensorId tensor;
  QuantParams params;
  QuantizedRange range;  // the values it can take
};

class Lowering {
 public:
  Lowering(const Graph& graph, RequantizeMode mode)
      : graph_(graph), mode_(mode), readers_(consumers(graph)), producers_(producers(graph)) {}

  Result<Program> run() {
    program_.name = graph_.name;
    for (ValueId input : graph_.inputs) {
      program_.inputs.push_back(tensor_of(input));
    }
    done_.assign(graph_.nodes.size(), false);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!done_[i]) {
        ZP_RETURN_IF_ERROR(lower_node(graph_.nodes[i]));
      }
    }
    for (ValueId output : graph_.outputs) {
      auto made = tensors_.find(output);
      if (made == tensors_.end()) {
        return Status::unsupported("output '" + graph_.value(output).name +
                                   "' is not made by an integer operation");
      }
      program_.outputs.push_back(made->second);
    }
    ZP_RETURN_IF_ERROR(verify(program_));
    return std::move(program_);
  }

 private:
  /// The activations between a layer and its QuantizeLinear, and that node (or none at a graph output).
  struct Tail {
    std::vector<const Node*> activations;
    const Node* quantize = nullptr;
    ValueId last;
  };

  TensorId tensor_of(ValueId id) {
    auto [found, is_new] = tensors_.try_emplace(id, static_cast<TensorId>(program_.tensors.size()));
    if (is_new) {
      const Value& value = graph_.value(id);
      Shape shape = shape_of(*value.dims, -1);
      program_.tensors.push_back(
          {value.name, value.type, Shape(shape.begin() + (shape.empty() ? 0 : 1), shape.end())});
    }
    return found->second;
  }

  Status lower_node(const Node& node) {
    switch (node.op) {
      case Op::kQuantizeLinear:
        return lower_quantize(node);
      case Op::kDequantizeLinear:
        return lower_dequantize(node);
      case Op::kConv:
      case Op::kGemm:
        return lower_layer(node);
      case Op::kMaxPool:
      case Op::kFlatten:
        return lower_same_params(node);
      case Op::kRelu:
      case Op::kClip:
        if (is_input(border_source(node.outputs[0]))) {
          return {};  // the QuantizeLinear at the border reads it
        }
        [[fallthrough]];
      default:
        return stays_float(
            node,
            "it has no integer form here unless it follows a Conv or Gemm and precedes a QuantizeLinear");
    }
  }

  static Status stays_float(const Node& node, const std::string& why) {
    return Status::unsupported(describe(node) + " would stay in float: " + why);
  }

  Result<QuantNode> per_tensor(const Node& node) const {
    ZP_ASSIGN_OR_RETURN(QuantNode read, read_quant_node(graph_, node));
    if (read.params.params.size() != 1) {
      return stays_float(node, "activations must have one scale per tensor");
    }
    return read;
  }

  [[nodiscard]] bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }
  [[nodiscard]] bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  /// The Relu or Clip that makes `id`, or nullptr.
  [[nodiscard]] const Node* activation_making(ValueId id) const {
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    const Node* node = maker < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(maker)];
    return node != nullptr && (node->op == Op::kRelu || node->op == Op::kClip) ? node : nullptr;
  }

  /// What stands before the activations that lead to `id`.
  [[nodiscard]] ValueId border_source(ValueId id) const {
    while (const Node* activation = activation_making(id)) {
      id = activation->inputs[0];
    }
    return id;
  }

  /// A QuantizeLinear that no layer absorbed: the border where reals come in. Clips before it narrow its
  /// range.
  Status lower_quantize(const Node& node) {
    ZP_ASSIGN_OR_RETURN(QuantNode read, per_tensor(node));
    std::vector<const Node*> activations;  // the last one first
    ValueId source = node.inputs[0];
    while (const Node* activation = activation_making(source)) {
      activations.push_back(activation);
      source = activation->inputs[0];
    }
    QuantizedRange range = storage_range(read.storage);
    for (auto activation = activations.rbegin(); activation != activations.rend(); ++activation) {
      ZP_ASSIGN_OR_RETURN(range, narrow(**activation, read, range));
    }
    if (!is_input(source)) {
      return stays_float(node, "its input is not an input of the graph");
    }
    program_.operations.emplace_back(
        QuantizeOp{tensor_of(source), tensor_of(node.outputs[0]), read.params.params[0], range});
    quantized_ranges_[node.outputs[0]] = range;
    return {};
  }

  /// `range` after the activation `node`, at the given parameters: quantize(clip(r)) = clamp(quantize(r)).
  Result<QuantizedRange> narrow(const Node& node, const QuantNode& quantization, QuantizedRange range) const {
    QuantizedRange held = storage_range(quantization.storage);
    QuantizedRange bounds = held;
    QuantParams params = quantization.params.params[0];
    if (node.op == Op::kRelu) {
      bounds.q_min = quantize(0.0F, params, held);
    }
    for (std::size_t bound : {1U, 2U}) {
      if (node.inputs.size() <= bound || node.inputs[bound] == kNoValue) {
        continue;
      }
      const Tensor* limit = graph_.constant(node, bound);
      if (limit == nullptr || limit->type() != ElementType::kFloat32 || limit->size() != 1 ||
          std::isnan(limit->data<float>()[0])) {
        return stays_float(node, "its bounds must be float32 constants");
      }
      (bound == 1 ? bounds.q_min : bounds.q_max) = quantize(limit->data<float>()[0], params, held);
    }
    // Not std::clamp: where the bounds cross, ONNX's Clip gives the upper one.
    auto clip = [&](std::int64_t q) { return std::min(std::max(q, bounds.q_min), bounds.q_max); };
    return QuantizedRange{clip(range.q_min), clip(range.q_max)};
  }

  Status lower_dequantize(const Node& node) {
    if (graph_.constant(node, 0) != nullptr) {
      return {};  // a weight or bias: its layer reads it
    }
    ZP_ASSIGN_OR_RETURN(QuantNode read, per_tensor(node));
    auto tensor = tensors_.find(node.inputs[0]);
    if (tensor == tensors_.end()) {
      return stays_float(node, "no integer operation makes its input");
    }
    auto range = quantized_ranges_.find(node.inputs[0]);
    activations_[node.outputs[0]] = {
        tensor->second, read.params.params[0],
        range == quantized_ranges_.end() ? storage_range(read.storage) : range->second};
    if (is_output(node.outputs[0])) {
      program_.operations.emplace_back(DequantizeOp{tensor->second,
                                                    tensor_of(node.outputs[0]),
                                                    {read.params.params[0].scale},
                                                    read.params.params[0].zero_point});
    }
    return {};
  }

  Result<Quantized> quantized_input(const Node& node) const {
    auto found = activations_.find(node.inputs[0]);
    if (found == activations_.end()) {
      return stays_float(node, "its input '" + graph_.value(node.inputs[0]).name + "' is not quantized");
    }
    return found->second;
  }

  /// The only node that reads `id`, or nullptr where there are several, none, or the graph's caller does too.
  const Node* only_reader(ValueId id) const {
    const auto& readers = readers_[static_cast<std::size_t>(id)];
    return readers.size() == 1 && !is_output(id) ? &graph_.nodes[static_cast<std::size_t>(readers[0])]
                                                 : nullptr;
  }

  Result<Tail> tail_of(const Node& node) {
    Tail tail{{}, nullptr, node.outputs[0]};
    for (const Node* next = only_reader(tail.last); next != nullptr; next = only_reader(tail.last)) {
      done_[static_cast<std::size_t>(next - graph_.nodes.data())] = true;
      tail.last = next->outputs[0];
      if (next->op == Op::kQuantizeLinear) {
        tail.quantize = next;
        return tail;
      }
      if (next->op != Op::kRelu && next->op != Op::kClip) {
        return stays_float(*next, "its input '" + graph_.value(next->inputs[0]).name + "' is not quantized");
      }
      tail.activations.push_back(next);
    }
    if (!is_output(tail.last) || !tail.activations.empty()) {
      return stays_float(node, "its result '" + graph_.value(tail.last).name + "' is not quantized");
    }
    return tail;
  }

  Status lower_layer(const Node& node) {
    ZP_ASSIGN_OR_RETURN(Quantized input, quantized_input(node));
    ZP_ASSIGN_OR_RETURN(Tail tail, tail_of(node));
    ZP_ASSIGN_OR_RETURN(LayerConstants constants,
                        read_layer(graph_, node, producers_, input.params, input.range));
    if (tail.quantize == nullptr) {
      TensorId accumulator = add_accumulator(tail.last);
      std::vector<float> scales = constants.accumulator_scales;
      ZP_RETURN_IF_ERROR(emit_layer(node, input, accumulator, std::move(constants), std::nullopt));
      program_.operations.emplace_back(DequantizeOp{accumulator, tensor_of(tail.last), std::move(scales), 0});
      return {};
    }
    ZP_ASSIGN_OR_RETURN(QuantNode out, per_tensor(*tail.quantize));
    QuantParams out_params = out.params.params[0];
    QuantizedRange clamp = storage_range(out.storage);
    for (const Node* activation : tail.activations) {
      ZP_ASSIGN_OR_RETURN(clamp, narrow(*activation, out, clamp));
    }
    ZP_ASSIGN_OR_RETURN(Requantization requantization,
                        requantization_of(node, constants, input.params.scale, out_params, clamp, mode_));
    quantized_ranges_[tail.last] = clamp;
    return emit_layer(node, input, tensor_of(tail.last), std::move(constants), std::move(requantization));
  }

  /// A tensor for the int32 accumulators behind the float value `id`.
  TensorId add_accumulator(ValueId id) {
    Shape shape = shape_of(*graph_.value(id).dims, -1);
    program_.tensors.push_back(
        {graph_.value(id).name + "_accumulator", ElementType::kInt32, Shape(shape.begin() + 1, shape.end())});
    return static_cast<TensorId>(program_.tensors.size() - 1);
  }

  Status emit_layer(const Node& node, const Quantized& input, TensorId output, LayerConstants&& constants,
                    std::optional<Requantization> requantization) {
    LinearLayer layer{std::move(constants.weights), std::move(constants.folded_bias),
                      std::move(requantization)};
    if (node.op == Op::kGemm) {
      program_.operations.emplace_back(FullyConnectedOp{input.tensor, output, std::move(layer)});
      return {};
    }
    const Shape& w = layer.weights.shape();
    ZP_ASSIGN_OR_RETURN(Window2d window, window_of(graph_, node, {w.begin() + 2, w.end()}));
    program_.operations.emplace_back(ConvOp{input.tensor, output, std::move(layer), window,
                                            int_attribute(node, "group"), input.params.zero_point});
    return {};
  }

  Status lower_same_params(const Node& node) {
    ZP_ASSIGN_OR_RETURN(Quantized input, quantized_input(node));
    const Node* quantize = only_reader(node.outputs[0]);
    if (quantize == nullptr || quantize->op != Op::kQuantizeLinear) {
      return stays_float(node, "its result '" + graph_.value(node.outputs[0]).name + "' is not quantized");
    }
    ZP_ASSIGN_OR_RETURN(QuantNode out, per_tensor(*quantize));
    if (out.params.params[0] != input.params || out.storage != program_.tensor(input.tensor).type) {
      return stays_float(node, "its input and its output are quantized differently");
    }
    done_[static_cast<std::size_t>(quantize - graph_.nodes.data())] = true;
    quantized_ranges_[quantize->outputs[0]] = input.range;
    TensorId output = tensor_of(quantize->outputs[0]);
    if (node.op == Op::kFlatten) {
      if (int_attribute(node, "axis") != 1) {
        return stays_float(node, "it joins the batch with other axes");
      }
      program_.operations.emplace_back(ReshapeOp{input.tensor, output});
      return {};
    }
    ZP_ASSIGN_OR_RETURN(Window2d window, window_of(graph_, node, {}));
    program_.operations.emplace_back(MaxPoolOp{input.tensor, output, window});
    return {};
  }

  const Graph& graph_;
  RequantizeMode mode_;
  std::vector<std::vector<std::int32_t>> readers_;
  std::vector<std::int32_t> producers_;
  std::vector<bool> done_;                              // nodes that became part of an earlier one
  std::map<ValueId, TensorId> tensors_;                 // graph value -> program tensor
  std::map<ValueId, Quantized> activations_;            // output of a DequantizeLinear -> what it dequantizes
  std::map<ValueId, QuantizedRange> quantized_ranges_;  // quantized value -> the integers it can take
  Program program_;
};

}  // namespace

Result<Program> lower(const Graph& graph, RequantizeMode mode) {
  ZP_RETURN_IF_ERROR(verify(graph));
  Graph inferred = graph;
  ZP_RETURN_IF_ERROR(infer_shapes(inferred));
  return Lowering(inferred, mode).run();
}

}  // namespace zeropoint::toolchain
