#include "zeropoint/toolchain/lower.h"

#include <fmt/format.h>

#include <algorithm>

#include "compile/graph_lowering.h"
#include "graph/quant_nodes.h"
#include "simplify/fold_constants.h"
#include "simplify/graph_view.h"
#include "simplify/passes.h"
#include "zeropoint/toolchain/qdq.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::toolchain {
namespace {

bool is_border(const Node& node) {
  return node.op == Op::kQuantizeLinear || node.op == Op::kDequantizeLinear;
}

/// What depends on the order of the elements alone is the same for reals and their integers.
bool compares_elements(Op op) { return op == Op::kArgMax || op == Op::kArgMin; }

/// What depends on the shape alone.
bool reads_shape(Op op) { return op == Op::kShape || op == Op::kSize; }

}  // namespace

GraphLowering::GraphLowering(const Graph& graph, RequantizeMode mode)
    : graph_(graph), mode_(mode), producers_(producers(graph)), builder_(graph.name) {}

const Node* GraphLowering::producer(ValueId id) const {
  std::int32_t maker = id == kNoValue ? -1 : producers_[static_cast<std::size_t>(id)];
  return maker < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(maker)];
}

const QuantizedView* GraphLowering::view(ValueId id) const {
  auto found = views_.find(id);
  return found == views_.end() ? nullptr : &found->second;
}

Result<QuantizedView> GraphLowering::operand(const Node& node, std::size_t input) const {
  const QuantizedView* known = node.has_input(input) ? view(node.inputs[input]) : nullptr;
  if (known == nullptr || size_of(known->type) > 2) {
    return Status::unsupported(
        fmt::format("its input '{}' is not quantized",
                    node.has_input(input) ? graph_.value(node.inputs[input]).name : std::to_string(input)));
  }
  return *known;
}

Result<Tensor> GraphLowering::constant_reals(ValueId id) const {
  const Value& value = graph_.value(id);
  const Node* node = producer(id);
  if (value.constant != nullptr) {
    return *value.constant;
  }
  bool dequantized = node != nullptr && node->op == Op::kDequantizeLinear;
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; dequantized && i < node->inputs.size(); ++i) {
    inputs.push_back(graph_.constant(*node, i));
    dequantized = inputs.back() != nullptr || !node->has_input(i);
  }
  if (!dequantized) {
    return Status::unsupported(fmt::format("its input '{}' is not constant", value.name));
  }
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                      evaluate(OperatorCall(node->op, node->attributes, inputs)));
  return std::move(outputs[0]);
}

bool GraphLowering::multiplies_only(ValueId id, const Node& dequantize) const {
  const Tensor* weights = dequantize.op == Op::kDequantizeLinear ? graph_.constant(dequantize, 0) : nullptr;
  bool constant = weights != nullptr && weights->rank() == 2 && size_of(weights->type()) == 1;
  for (std::size_t i = 1; constant && i < dequantize.inputs.size(); ++i) {
    constant = !dequantize.has_input(i) || graph_.constant(dequantize, i) != nullptr;
  }
  return constant && std::find(graph_.outputs.begin(), graph_.outputs.end(), id) == graph_.outputs.end() &&
         std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
           auto reads = std::count(node.inputs.begin(), node.inputs.end(), id);
           return reads == 0 || (reads == 1 && node.op == Op::kMatMul && node.inputs[1] == id);
         });
}

Result<TensorId> GraphLowering::plain(ValueId id) {
  auto found = tensors_.find(id);
  if (found != tensors_.end()) {
    return found->second;
  }
  const Value& value = graph_.value(id);
  const Node* node = producer(id);
  if (value.constant != nullptr) {
    return tensors_[id] = builder_.add_constant(value.name, value.constant);
  }
  if (node != nullptr && multiplies_only(id, *node)) {
    ZP_RETURN_IF_ERROR(evaluate_as_it_stands(producers_[static_cast<std::size_t>(id)], false));
    return tensors_[id];
  }
  if (node != nullptr && node->op == Op::kDequantizeLinear && graph_.constant(*node, 0) != nullptr) {
    ZP_ASSIGN_OR_RETURN(Tensor reals, constant_reals(id));
    return tensors_[id] = builder_.add_constant(value.name, std::make_shared<const Tensor>(std::move(reals)));
  }
  if (const QuantizedView* known = view(id)) {
    TensorId made = builder_.add_tensor(value.name, ElementType::kFloat32, value.dims);
    builder_.add(DequantizeOp{known->tensor, made, {{known->params.scale}, known->params.zero_point}});
    return tensors_[id] = made;
  }
  if (node != nullptr && layers_.count(producers_[static_cast<std::size_t>(id)]) > 0) {
    return real_layer(id, *node);
  }
  return Status::internal("value '" + value.name + "' was not lowered");
}

/// A layer whose result is read in float: its accumulators, dequantized.
Result<TensorId> GraphLowering::real_layer(ValueId id, const Node& node) {
  ZP_ASSIGN_OR_RETURN(DequantizeOp op, accumulator(id, node));
  op.output = builder_.add_tensor(graph_.value(id).name, ElementType::kFloat32, graph_.value(id).dims);
  tensors_[id] = op.output;
  builder_.add(op);
  return tensors_[id];
}

Result<Lowering> GraphLowering::run() {
  for (ValueId input : graph_.inputs) {
    const Value& value = graph_.value(input);
    tensors_[input] = builder_.add_tensor(value.name, value.type, value.dims);
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    ZP_RETURN_IF_ERROR(lower_node(static_cast<std::int32_t>(i)));
  }
  return finish();
}

Status GraphLowering::lower_node(std::int32_t index) {
  const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  if (node.op == Op::kQuantizeLinear) {
    return lower_quantize(index);
  }
  if (node.op == Op::kDequantizeLinear) {
    return lower_dequantize(index);
  }
  ZP_ASSIGN_OR_RETURN(bool moved, move_views(index));
  if (moved) {
    return {};
  }
  if (is_layer(graph_, node, producers_)) {
    Status status = layer_constants(node).status();
    if (status.ok()) {
      layers_.insert(index);
      return {};
    }
    const Node* weights = node.has_input(1) ? producer(node.inputs[1]) : nullptr;
    bool weights_alone = view(node.inputs[0]) == nullptr && weights != nullptr &&
                         weights->op == Op::kDequantizeLinear && graph_.constant(*weights, 0) != nullptr;
    reasons_[&node] = status.message() + (weights_alone ? ", so its weights are dequantized" : "");
  }
  return evaluate_as_it_stands(index);
}

Status GraphLowering::lower_quantize(std::int32_t index) {
  const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  Result<QuantNode> read = read_quant_node(graph_, node);
  bool whole = read.ok() && read->params.params.size() == 1 &&
               graph_.value(node.inputs[0]).type == ElementType::kFloat32;
  if (!whole) {
    reasons_[&node] = read.ok() ? "activations must have one scale per tensor" : read.status().message();
    return evaluate_as_it_stands(index);
  }
  const std::string& name = graph_.value(node.outputs[0]).name;
  Target target{read->params.params[0], read->storage, storage_range(read->storage)};
  ZP_ASSIGN_OR_RETURN(TensorId made, quantize_value(node.inputs[0], target, name));
  builder_.name_tensor(made, name);
  tensors_[node.outputs[0]] = made;
  return {};
}

Status GraphLowering::lower_dequantize(std::int32_t index) {
  const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  Result<QuantNode> read = read_quant_node(graph_, node);
  if (read.ok() && read->params.params.size() == 1) {
    ZP_ASSIGN_OR_RETURN(TensorId integers, plain(node.inputs[0]));
    views_[node.outputs[0]] = {integers, read->params.params[0], read->storage};
    return {};
  }
  bool is_constant = true;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    is_constant = is_constant && (!node.has_input(i) || graph_.constant(node, i) != nullptr);
  }
  // What was read of constants can be dequantized; doing it to see would cost as much as all the rest.
  if (is_constant && (read.ok() || constant_reals(node.outputs[0]).ok())) {
    return {};  // weights: their layer reads them
  }
  reasons_[&node] = read.ok() ? "activations must have one scale per tensor" : read.status().message();
  return evaluate_as_it_stands(index);
}

Status GraphLowering::evaluate_as_it_stands(std::int32_t index, bool listed) {
  const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  EvaluateOp op{node.op, node.attributes, {}, {}};
  for (ValueId input : node.inputs) {
    op.inputs.push_back(kNoTensor);
    const QuantizedView* known = input == kNoValue ? nullptr : view(input);
    if (known != nullptr && (compares_elements(node.op) || reads_shape(node.op))) {
      op.inputs.back() = known->tensor;
    } else if (input != kNoValue) {
      ZP_ASSIGN_OR_RETURN(op.inputs.back(), plain(input));
    }
  }
  for (ValueId output : node.outputs) {
    op.outputs.push_back(kNoTensor);
    if (output != kNoValue) {
      const Value& value = graph_.value(output);
      op.outputs.back() = tensors_[output] = builder_.add_tensor(value.name, value.type, value.dims);
    }
  }
  builder_.add(std::move(op), listed ? index : -1);
  return {};
}

std::string GraphLowering::reason_of(const Node& node) const {
  auto refused = reasons_.find(&node);
  if (refused != reasons_.end()) {
    return refused->second;
  }
  if (info_of(node.op).integer_form == IntegerForm::kNone) {
    return "it has no integer form";
  }
  for (ValueId input : node.inputs) {
    bool real = input != kNoValue && is_real(graph_.value(input).type);
    if (real && view(input) == nullptr && !constant_reals(input).ok()) {
      return fmt::format("its input '{}' is not quantized", graph_.value(input).name);
    }
  }
  return fmt::format("its result '{}' is not quantized", graph_.value(node.outputs[0]).name);
}

Result<Lowering> GraphLowering::finish() {
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  for (ValueId input : graph_.inputs) {
    inputs.push_back(tensors_[input]);
  }
  for (ValueId output : graph_.outputs) {
    ZP_ASSIGN_OR_RETURN(TensorId made, plain(output));
    outputs.push_back(made);
  }
  ProgramBuilder::Finished finished = std::move(builder_).finish(std::move(inputs), std::move(outputs));
  Lowering lowering{std::move(finished.program), {}, 0};
  std::set<std::int32_t> floats;
  for (std::size_t i = 0; i < finished.nodes.size(); ++i) {
    const auto* op = std::get_if<EvaluateOp>(&lowering.program.operations[i]);
    if (op == nullptr || finished.nodes[i] < 0) {
      continue;
    }
    std::vector<TensorId> ids = inputs_of(*op);
    std::vector<TensorId> made = outputs_of(*op);
    ids.insert(ids.end(), made.begin(), made.end());
    const Node& node = graph_.nodes[static_cast<std::size_t>(finished.nodes[i])];
    if (std::any_of(ids.begin(), ids.end(),
                    [&](TensorId id) { return is_real(lowering.program.tensor(id).type); })) {
      floats.insert(finished.nodes[i]);
      lowering.floats.push_back({node.name, std::string(name_of(node.op)), reason_of(node)});
    }
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    bool in_integers = (carries_reals(graph_, node) && !is_border(node) && !reads_shape(node.op)) ||
                       node.op == Op::kMatMulInteger || node.op == Op::kConvInteger;
    lowering.integer_nodes += in_integers && floats.count(static_cast<std::int32_t>(i)) == 0 ? 1 : 0;
  }
  ZP_RETURN_IF_ERROR(verify(lowering.program));
  return lowering;
}

Result<Lowering> lower(const Graph& graph, RequantizeMode mode) {
  ZP_RETURN_IF_ERROR(verify(graph));
  ZP_ASSIGN_OR_RETURN(Graph qdq, to_qdq(graph));
  ZP_RETURN_IF_ERROR(fold_constants(qdq));
  ZP_RETURN_IF_ERROR(fuse_spelled_out(qdq));
  if (plain_gemm(qdq) > 0) {
    remove_dead(qdq);
    ZP_RETURN_IF_ERROR(infer_shapes(qdq));
  }
  return GraphLowering(qdq, mode).run();
}

}  // namespace zeropoint::toolchain
