// Before: y = F(DequantizeLinear(q_x, s_x, z_x), ...); q_y = QuantizeLinear(y, s_y, z_y)
// After:  q_y = QLinearF(q_x, s_x, z_x, ..., s_y, z_y)
// Conditions: nothing else reads y; what QuantizedOperand and to_qoperator() ask for.
// Algebra: that of to_qdq().

#include <algorithm>

#include "simplify/qdq_operands.h"
#include "simplify/remove_unread.h"
#include "simplify/to_block_products.h"
#include "zeropoint/toolchain/qdq.h"

namespace zeropoint::toolchain {
namespace {

/// Operators that give integers of their first input as they are, in models of any opset from 13 on.
constexpr Op kMovesSince13[] = {Op::kFlatten,   Op::kGather, Op::kIdentity,  Op::kMaxPool,  Op::kReshape,
                                Op::kSlice,     Op::kSplit,  Op::kSqueeze,   Op::kTile,     Op::kTranspose,
                                Op::kUnsqueeze, Op::kExpand, Op::kReduceMax, Op::kReduceMin};

class ToQOperator {
 public:
  explicit ToQOperator(const Graph& graph)
      : operands_(graph), graph_(graph), absorbed_(graph.nodes.size(), false) {}

  Result<Graph> run() {
    Graph result = graph_;
    std::vector<std::optional<Node>> replaced(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      replaced[i] = convert(i);
    }
    result.nodes.clear();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (replaced[i]) {
        result.nodes.push_back(*std::move(replaced[i]));
      } else if (!absorbed_[i]) {
        result.nodes.push_back(graph_.nodes[i]);
      }
    }
    remove_unread_pairs(result);
    remove_unread_values(result);
    ZP_RETURN_IF_ERROR(verify(result));
    ZP_RETURN_IF_ERROR(infer_shapes(result));
    return result;
  }

 private:
  /// What stands for node `i`: a node on integers for a QuantizeLinear, or for a product whose result stays
  /// real.
  std::optional<Node> convert(std::size_t i) {
    const Node& node = graph_.nodes[i];
    if (node.op == Op::kGemm && operands_.stays_real(i)) {
      return gemm(node, {}, node.outputs[0]);
    }
    if (node.op != Op::kQuantizeLinear) {
      return std::nullopt;
    }
    std::optional<QuantizedOperand> y = operands_.result(node);
    std::optional<std::size_t> clamp;
    std::optional<std::size_t> maker = y ? operands_.sole_maker(node.inputs[0]) : std::nullopt;
    if (maker && operands_.is_idle_clamp(graph_.nodes[*maker], *y)) {
      clamp = maker;
      maker = operands_.sole_maker(graph_.nodes[*maker].inputs[0]);
    }
    std::optional<Node> converted;
    if (maker) {
      converted = on_integers(graph_.nodes[*maker], *y);
    }
    // A clamp alone is not worth an operator on integers; it may also be all that there is.
    if (converted) {
      absorbed_[*maker] = true;
      absorbed_[i] = true;
      if (clamp) {
        absorbed_[*clamp] = true;
      }
    }
    return converted;
  }

  std::optional<Node> on_integers(const Node& node, const QuantizedOperand& y) {
    switch (node.op) {
      case Op::kConv:
        return conv(node, y);
      case Op::kMatMul:
        return matmul(node, y);
      case Op::kGemm:
        return gemm(node, y, y.integers);
      case Op::kAdd:
        return binary(Op::kQLinearAdd, node, y);
      case Op::kMul:
        return binary(Op::kQLinearMul, node, y);
      case Op::kAveragePool:
        return node.attributes.count("dilations") == 0 ? unary(Op::kQLinearAveragePool, node, y)
                                                       : std::nullopt;
      case Op::kGlobalAveragePool:
        return unary(Op::kQLinearGlobalAveragePool, node, y);
      case Op::kSigmoid:
        return unary(Op::kQLinearSigmoid, node, y);
      case Op::kLeakyRelu:
        return unary(Op::kQLinearLeakyRelu, node, y);
      case Op::kSoftmax:
        return unary(Op::kQLinearSoftmax, node, y);
      case Op::kConcat:
        return concat(node, y);
      default:
        return move(node, y);
    }
  }

  static void append(std::vector<ValueId>& inputs, const QuantizedOperand& operand) {
    inputs.insert(inputs.end(), {operand.integers, operand.scale, operand.zero_point});
  }

  /// An activation of the result's type.
  [[nodiscard]] std::optional<QuantizedOperand> activation(ValueId real, const QuantizedOperand& like) const {
    std::optional<QuantizedOperand> operand = operands_.operand(real);
    return operand && operand->is_per_tensor && operand->type == like.type ? operand : std::nullopt;
  }

  std::optional<Node> conv(const Node& node, const QuantizedOperand& y) {
    auto x = activation(node.inputs[0], y);
    auto w = operands_.operand(node.inputs[1]);
    if (!x || !w || !w->is_8_bits() || !w->fits_with(*x) || !w->is_per_tensor_or_axis(0)) {
      return std::nullopt;
    }
    Node made{Op::kQLinearConv, node.name, {}, {y.integers}, node.attributes};
    append(made.inputs, *x);
    append(made.inputs, *w);
    made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    if (node.has_input(2)) {
      std::optional<ValueId> bias = operands_.bias(node.inputs[2], *x, *w, 1.0F);
      if (!bias) {
        return std::nullopt;
      }
      made.inputs.push_back(*bias);
    }
    return made;
  }

  std::optional<Node> matmul(const Node& node, const QuantizedOperand& y) {
    auto a = activation(node.inputs[0], y);
    auto b = operands_.operand(node.inputs[1]);
    const std::optional<Dims>& dims = graph_.value(node.inputs[1]).dims;
    bool columns = b && dims && dims->size() == 2 && b->is_per_tensor_or_axis(1);
    if (!a || !b || !b->is_8_bits() || !b->fits_with(*a) || (!b->is_per_tensor && !columns)) {
      return std::nullopt;
    }
    Node made{Op::kQLinearMatMul, node.name, {}, {y.integers}, {}};
    append(made.inputs, *a);
    append(made.inputs, *b);
    made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    return made;
  }

  /// Without `y` the result is real.
  std::optional<Node> gemm(const Node& node, const std::optional<QuantizedOperand>& y, ValueId output) {
    auto a = operands_.operand(node.inputs[0]);
    auto b = operands_.operand(node.inputs[1]);
    std::int64_t channels = int_attribute(node, "transB") != 0 ? 0 : 1;
    if (!a || !a->is_per_tensor || !a->is_8_bits() || (y && y->type != a->type) || !b || !b->is_8_bits() ||
        !b->fits_with(*a) || !b->is_per_tensor_or_axis(channels) ||
        (node.has_input(2) && float_attribute(node, "beta") != 1.0F)) {
      return std::nullopt;
    }
    Node made{Op::kQGemm, node.name, {}, {output}, node.attributes};
    made.attributes.erase("beta");
    append(made.inputs, *a);
    append(made.inputs, *b);
    made.inputs.push_back(kNoValue);
    if (node.has_input(2)) {
      std::optional<ValueId> bias = operands_.bias(node.inputs[2], *a, *b, float_attribute(node, "alpha"));
      if (!bias) {
        return std::nullopt;
      }
      made.inputs.back() = *bias;
    }
    if (y) {
      made.inputs.insert(made.inputs.end(), {y->scale, y->zero_point});
    } else if (made.inputs.back() == kNoValue) {
      made.inputs.pop_back();
    }
    return made;
  }

  std::optional<Node> binary(Op op, const Node& node, const QuantizedOperand& y) {
    auto a = activation(node.inputs[0], y);
    auto b = activation(node.inputs[1], y);
    if (!a || !b) {
      return std::nullopt;
    }
    Node made{op, node.name, {}, {y.integers}, {}};
    append(made.inputs, *a);
    append(made.inputs, *b);
    made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    return made;
  }

  std::optional<Node> unary(Op op, const Node& node, const QuantizedOperand& y) {
    auto x = activation(node.inputs[0], y);
    if (!x) {
      return std::nullopt;
    }
    Node made{op, node.name, {}, {y.integers}, node.attributes};
    append(made.inputs, *x);
    made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    if (op == Op::kQLinearSoftmax) {
      made.attributes["opset"] = std::int64_t{13};
    }
    return made;
  }

  std::optional<Node> concat(const Node& node, const QuantizedOperand& y) {
    Node made{Op::kQLinearConcat, node.name, {y.scale, y.zero_point}, {y.integers}, node.attributes};
    for (ValueId input : node.inputs) {
      auto x = activation(input, y);
      if (!x) {
        return std::nullopt;
      }
      append(made.inputs, *x);
    }
    return made;
  }

  /// Where scale and zero point stay, the integers are moved as they are.
  std::optional<Node> move(const Node& node, const QuantizedOperand& y) {
    if (std::find(std::begin(kMovesSince13), std::end(kMovesSince13), node.op) == std::end(kMovesSince13) ||
        node.outputs.size() != 1) {
      return std::nullopt;
    }
    auto x = activation(node.inputs[0], y);
    if (!x || !operands_.same_params(*x, y)) {
      return std::nullopt;
    }
    Node made = node;
    made.inputs[0] = x->integers;
    made.outputs = {y.integers};
    return made;
  }

  /// DequantizeLinear nodes that nothing reads any more.
  static void remove_unread_pairs(Graph& graph) {
    std::vector<bool> read = read_values(graph, graph.nodes);
    std::erase_if(graph.nodes, [&](const Node& node) {
      return node.op == Op::kDequantizeLinear && !read[static_cast<std::size_t>(node.outputs[0])];
    });
  }

  QdqOperands operands_;
  const Graph& graph_;
  std::vector<bool> absorbed_;
};

}  // namespace

Result<Graph> to_qoperator(const Graph& graph) {
  Graph inferred = graph;
  ZP_RETURN_IF_ERROR(verify(inferred));
  ZP_RETURN_IF_ERROR(infer_shapes(inferred));
  to_block_products(inferred);
  return ToQOperator(inferred).run();
}

}  // namespace zeropoint::toolchain
