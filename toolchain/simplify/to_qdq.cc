// Before: q_y = QLinearF(q_x, s_x, z_x, ..., s_y, z_y)
// After:  y = F(DequantizeLinear(q_x, s_x, z_x), ...); q_y = QuantizeLinear(y, s_y, z_y)
// Conditions: scales and zero points are constants, of shapes that DequantizeLinear has.
// Algebra: QLinearF is defined as F on the reals that the integers stand for, quantized again.

#include <algorithm>

#include "simplify/block_weights.h"
#include "simplify/integer_moves.h"
#include "simplify/qdq_pairs.h"
#include "simplify/remove_unread.h"
#include "zeropoint/toolchain/qdq.h"

namespace zeropoint::toolchain {
namespace {

bool is_quantized_type(ElementType type) { return type == ElementType::kInt8 || type == ElementType::kUint8; }

class ToQdq {
 public:
  explicit ToQdq(const Graph& graph) : original_(graph), result_(graph), pairs_(graph, result_) {
    result_.nodes.clear();
    note_params();
  }

  Result<Graph> run() {
    for (std::size_t i = 0; i < original_.nodes.size(); ++i) {
      const Node& node = original_.nodes[i];
      if (node.op == Op::kDequantizeLinear) {
        pairs_.keep_dequantize(i);
      } else if (!convert(node)) {
        result_.nodes.push_back(node);
      }
    }
    remove_unread_values(result_);
    number_repeated_names(result_);
    ZP_RETURN_IF_ERROR(verify(result_));
    ZP_RETURN_IF_ERROR(infer_shapes(result_));
    return std::move(result_);
  }

 private:
  /// What the graph says of the quantized tensors that it reads.
  void note_params() {
    for (const Node& node : original_.nodes) {
      if (node.op == Op::kDequantizeLinear || node.op == Op::kQLinearConv || node.op == Op::kQLinearMatMul ||
          (info_of(node.op).domain == "com.microsoft" && node.op != Op::kQLinearConcat)) {
        if (node.inputs.size() > 1 && is_quantized_type(original_.value(node.inputs[0]).type)) {
          note(node.inputs[0], params_at(node, 1));
        }
      }
    }
  }

  void note(ValueId quantized, QuantValues params) {
    const Tensor* scale = constant(params.scale);
    if (scale != nullptr && is_single(*scale) && scale->type() == ElementType::kFloat32 &&
        (params.zero_point == kNoValue || constant(params.zero_point) != nullptr)) {
      params_.try_emplace(quantized, params);
    }
  }

  [[nodiscard]] const Tensor* constant(ValueId id) const {
    return id == kNoValue ? nullptr : result_.value(id).constant.get();
  }

  /// Scale and zero point that are inputs `i` and `i + 1`.
  static QuantValues params_at(const Node& node, std::size_t i) {
    return {node.has_input(i) ? node.inputs[i] : kNoValue,
            node.has_input(i + 1) ? node.inputs[i + 1] : kNoValue};
  }

  /// F on reals, then QuantizeLinear to the node's own output.
  void finish(Op op, const Node& node, std::vector<ValueId> inputs, Attributes attributes,
              QuantValues params) {
    ValueId real = pairs_.real_of(node.outputs[0]);
    result_.nodes.push_back({op, node.name, std::move(inputs), {real}, std::move(attributes)});
    const Tensor* zero_point = constant(params.zero_point);
    if (zero_point == nullptr && original_.value(node.outputs[0]).type != ElementType::kUint8) {
      params.zero_point = pairs_.add_constant(base_name(result_.value(node.outputs[0]).name) + "_zero_point",
                                              Tensor(original_.value(node.outputs[0]).type, {}));
    }
    pairs_.quantize(real, params, node.outputs[0]);
    params_[node.outputs[0]] = params;
  }

  bool convert(const Node& node) {
    switch (node.op) {
      case Op::kQuantizeLinear:
        note(node.outputs[0], params_at(node, 1));
        return false;
      case Op::kQLinearConv:
        return convert_conv(node);
      case Op::kQLinearMatMul:
        return convert_matmul(node);
      case Op::kQGemm:
        return convert_gemm(node);
      case Op::kQLinearAdd:
        return convert_binary(Op::kAdd, node);
      case Op::kQLinearMul:
        return convert_binary(Op::kMul, node);
      case Op::kQLinearAveragePool:
        return convert_unary(Op::kAveragePool, node);
      case Op::kQLinearGlobalAveragePool:
        return convert_unary(Op::kGlobalAveragePool, node);
      case Op::kQLinearSigmoid:
        return convert_unary(Op::kSigmoid, node);
      case Op::kQLinearLeakyRelu:
        return convert_unary(Op::kLeakyRelu, node);
      case Op::kQLinearSoftmax:
        return convert_unary(Op::kSoftmax, node);
      case Op::kQLinearConcat:
        return convert_concat(node);
      case Op::kMatMulNBits:
        return convert_blocks(node);
      case Op::kPad:
        return convert_pad(node);
      default:
        return convert_move(node);
    }
  }

  bool convert_conv(const Node& node) {
    QuantValues x = params_at(node, 1);
    QuantValues w = params_at(node, 4);
    QuantValues y = params_at(node, 6);
    if (!pairs_.is_per_tensor(x) || !pairs_.is_of_weights(w) || !pairs_.is_per_tensor(y)) {
      return false;
    }
    std::vector<ValueId> inputs{pairs_.dequantized(node.inputs[0], x), pairs_.weights(node.inputs[3], w, 0)};
    if (node.has_input(8)) {
      inputs.push_back(pairs_.bias(node.inputs[8], constant(x.scale)->data<float>()[0], *constant(w.scale)));
    }
    finish(Op::kConv, node, std::move(inputs), node.attributes, y);
    return true;
  }

  bool convert_matmul(const Node& node) {
    QuantValues a = params_at(node, 1);
    QuantValues b = params_at(node, 4);
    QuantValues y = params_at(node, 6);
    const std::optional<Dims>& dims = original_.value(node.inputs[3]).dims;
    bool columns = pairs_.is_per_channel(b) && dims && dims->size() == 2;
    if (!pairs_.is_per_tensor(a) || (!pairs_.is_per_tensor(b) && !columns) || !pairs_.is_per_tensor(y)) {
      return false;
    }
    ValueId left = pairs_.dequantized(node.inputs[0], a);
    ValueId right = pairs_.weights(node.inputs[3], b, 1);
    finish(Op::kMatMul, node, {left, right}, {}, y);
    return true;
  }

  bool convert_gemm(const Node& node) {
    QuantValues a = params_at(node, 1);
    QuantValues b = params_at(node, 4);
    QuantValues y = params_at(node, 7);
    bool to_reals = y.scale == kNoValue;
    if (!pairs_.is_per_tensor(a) || !pairs_.is_of_weights(b) || (!to_reals && !pairs_.is_per_tensor(y))) {
      return false;
    }
    bool transposed = int_attribute(node, "transB") != 0;
    std::vector<ValueId> inputs{pairs_.dequantized(node.inputs[0], a),
                                pairs_.weights(node.inputs[3], b, transposed ? 0 : 1)};
    if (node.has_input(6)) {
      // QGemm multiplies its bias by alpha too, Gemm does not.
      float scale = float_attribute(node, "alpha") * constant(a.scale)->data<float>()[0];
      inputs.push_back(pairs_.bias(node.inputs[6], scale, *constant(b.scale)));
    }
    if (to_reals) {
      result_.nodes.push_back({Op::kGemm, node.name, std::move(inputs), node.outputs, node.attributes});
    } else {
      finish(Op::kGemm, node, std::move(inputs), node.attributes, y);
    }
    return true;
  }

  bool convert_binary(Op op, const Node& node) {
    QuantValues a = params_at(node, 1);
    QuantValues b = params_at(node, 4);
    QuantValues y = params_at(node, 6);
    if (!pairs_.is_per_tensor(a) || !pairs_.is_per_tensor(b) || !pairs_.is_per_tensor(y)) {
      return false;
    }
    ValueId left = pairs_.dequantized(node.inputs[0], a);
    ValueId right = pairs_.dequantized(node.inputs[3], b);
    finish(op, node, {left, right}, {}, y);
    return true;
  }

  bool convert_unary(Op op, const Node& node) {
    QuantValues x = params_at(node, 1);
    QuantValues y = params_at(node, 3);
    Attributes attributes = node.attributes;
    if (!pairs_.is_per_tensor(x) || !pairs_.is_per_tensor(y) || int_attribute(node, "channels_last") != 0 ||
        (op == Op::kSoftmax && !works_along_one_axis(node))) {
      return false;
    }
    attributes.erase("channels_last");
    attributes.erase("opset");
    finish(op, node, {pairs_.dequantized(node.inputs[0], x)}, std::move(attributes), y);
    return true;
  }

  /// Softmax of opset 13 on does; older ones where the axis is the last.
  [[nodiscard]] bool works_along_one_axis(const Node& node) const {
    const std::optional<Dims>& dims = original_.value(node.inputs[0]).dims;
    std::int64_t axis = int_attribute(node, "axis");
    return int_attribute(node, "opset") >= 13 || axis == -1 ||
           (dims && axis == static_cast<std::int64_t>(dims->size()) - 1);
  }

  bool convert_concat(const Node& node) {
    QuantValues y = params_at(node, 0);
    bool known = pairs_.is_per_tensor(y) && node.inputs.size() % 3 == 2;
    for (std::size_t i = 2; known && i < node.inputs.size(); i += 3) {
      known = pairs_.is_per_tensor(params_at(node, i + 1));
    }
    if (!known) {
      return false;
    }
    std::vector<ValueId> inputs;
    for (std::size_t i = 2; i < node.inputs.size(); i += 3) {
      inputs.push_back(pairs_.dequantized(node.inputs[i], params_at(node, i + 1)));
    }
    finish(Op::kConcat, node, std::move(inputs), node.attributes, y);
    return true;
  }

  bool convert_blocks(const Node& node) {
    std::optional<BlockWeights> weights = block_weights(original_, node);
    if (!weights) {
      return false;
    }
    std::string base = base_name(result_.value(node.inputs[1]).name);
    ValueId integers = pairs_.add_constant(base + "_unpacked", std::move(weights->integers));
    ValueId scales = pairs_.add_constant(base + "_scale", std::move(weights->scales));
    ValueId zero_points = pairs_.add_constant(base + "_zero_point", std::move(weights->zero_points));
    ValueId real =
        result_.add_node(Op::kDequantizeLinear, base + "_dequantize", {integers, scales, zero_points},
                         pairs_.unused(base + "_dequantized"),
                         {{"axis", std::int64_t{0}}, {"block_size", int_attribute(node, "block_size")}});
    if (!node.has_input(5)) {
      result_.nodes.push_back({Op::kMatMul, node.name, {node.inputs[0], real}, node.outputs, {}});
      return true;
    }
    ValueId product = result_.add_node(Op::kMatMul, node.name, {node.inputs[0], real},
                                       pairs_.unused(result_.value(node.outputs[0]).name + "_product"));
    result_.nodes.push_back({Op::kAdd, node.name + "_bias", {product, node.inputs[5]}, node.outputs, {}});
    return true;
  }

  bool convert_move(const Node& node) { return moves_integers(node) && between_pairs(node, node.inputs); }

  /// What is padded with is an integer before, and the real that it stands for after.
  bool convert_pad(const Node& node) {
    auto params = params_.find(node.inputs[0]);
    const Tensor* fill = original_.constant(node, 2);
    if (params == params_.end() || (node.has_input(2) && fill == nullptr)) {
      return false;
    }
    if (string_attribute(node, "mode") != "constant") {
      return between_pairs(node, node.inputs);
    }
    std::vector<ValueId> inputs = node.inputs;
    inputs.resize(std::max<std::size_t>(inputs.size(), 3), kNoValue);
    Tensor real = real_of_one(fill, *constant(params->second.scale), constant(params->second.zero_point));
    inputs[2] = pairs_.add_constant(node.name + "_value", std::move(real));
    return between_pairs(node, std::move(inputs));
  }

  bool between_pairs(const Node& node, std::vector<ValueId> inputs) {
    auto params = params_.find(node.inputs[0]);
    if (params == params_.end() || !is_quantized_type(original_.value(node.inputs[0]).type)) {
      return false;
    }
    QuantValues same = params->second;
    inputs[0] = pairs_.dequantized(node.inputs[0], same);
    Node move{node.op, node.name, std::move(inputs), {}, node.attributes};
    std::vector<std::pair<ValueId, ValueId>> quantized;
    for (ValueId output : node.outputs) {
      bool of_data = output != kNoValue && is_quantized_type(original_.value(output).type);
      move.outputs.push_back(of_data ? pairs_.real_of(output) : output);
      if (of_data) {
        quantized.emplace_back(move.outputs.back(), output);
      }
    }
    result_.nodes.push_back(std::move(move));
    for (auto [real, integers] : quantized) {
      pairs_.quantize(real, same, integers);
      params_[integers] = same;
    }
    return true;
  }

  const Graph& original_;
  Graph result_;
  QdqPairs pairs_;
  std::map<ValueId, QuantValues> params_;  // of quantized tensors, as far as they are known
};

}  // namespace

Result<Graph> to_qdq(const Graph& graph) {
  Graph inferred = graph;
  ZP_RETURN_IF_ERROR(verify(inferred));
  ZP_RETURN_IF_ERROR(infer_shapes(inferred));
  return ToQdq(inferred).run();
}

}  // namespace zeropoint::toolchain
