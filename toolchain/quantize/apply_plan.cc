#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "quantize/check_plan.h"
#include "quantize/node_role.h"
#include "quantize/plan_biases.h"
#include "simplify/graph_view.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

/// The scales of `params` as a constant of the shape ONNX wants.
Tensor scales_tensor(const TensorParams& params, const Shape& shape) {
  std::vector<float> values;
  for (const QuantParams& p : params.params) {
    values.push_back(p.scale);
  }
  return Tensor::of<float>(shape, values);
}

class Applier {
 public:
  Applier(const Graph& graph, const QuantPlan& plan) : graph_(graph), plan_(plan), names_(graph) {
    result_.name = graph.name;
    result_.metadata = graph.metadata;
  }

  Result<Graph> run() {
    ZP_RETURN_IF_ERROR(check_plan(graph_, plan_));
    for (ValueId input : graph_.inputs) {
      const Value& value = graph_.value(input);
      if (!value.dims) {
        return Status::invalid_argument("input '" + value.name + "' has no shape");
      }
      made_[input] = result_.add_input(value.name, value.type, *value.dims);
      quantize_activation(input);
    }
    for (const Node& node : graph_.nodes) {
      ZP_RETURN_IF_ERROR(copy(node));
    }
    for (ValueId output : graph_.outputs) {
      ZP_ASSIGN_OR_RETURN(ValueId mapped, mapped_input(output));
      result_.outputs.push_back(mapped);
    }
    number_repeated_names(result_);  // where readers of a tensor have quantizations of their own
    ZP_RETURN_IF_ERROR(verify(result_));
    ZP_RETURN_IF_ERROR(infer_shapes(result_));
    return std::move(result_);
  }

 private:
  Status copy(const Node& node) {
    if (const Decision* input = node.inputs.empty() ? nullptr : own_decision(node.inputs[0], node);
        input != nullptr && input->dynamic) {
      return multiply_integers(node);
    }
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) {
      ZP_ASSIGN_OR_RETURN(ValueId mapped, mapped_input(input));
      const Decision* own = input == kNoValue ? nullptr : own_decision(input, node);
      inputs.push_back(own == nullptr ? mapped : requantized(mapped, *own));
    }
    Node made{node.op, node.name, std::move(inputs), {}, node.attributes};
    for (ValueId output : node.outputs) {
      made.outputs.push_back(output == kNoValue ? kNoValue : result_.add_value(name_before(output)));
      made_[output] = made.outputs.back();
    }
    result_.nodes.push_back(std::move(made));
    for (ValueId output : node.outputs) {
      if (output != kNoValue) {
        quantize_activation(output);
      }
    }
    return {};
  }

  /// The graph's output keeps its name, so what is there before quantization gets another.
  std::string name_before(ValueId output) {
    const std::string& name = graph_.value(output).name;
    return is_output(output) && plan_.find(name) != nullptr ? names_.take(name + "_real") : name;
  }

  [[nodiscard]] bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  Result<ValueId> mapped_input(ValueId id) {
    if (id == kNoValue) {
      return kNoValue;
    }
    auto found = made_.find(id);
    if (found != made_.end()) {
      return found->second;
    }
    const Value& value = graph_.value(id);
    const Decision* decision = plan_.find(value.name);
    if (decision == nullptr) {
      made_[id] = result_.add_constant(value.name, *value.constant);
      return made_[id];
    }
    ElementType storage = constant_storage(id, *decision);
    ZP_ASSIGN_OR_RETURN(QuantizedRange range, decision->type.range());
    Result<Tensor> quantized = quantize(*value.constant, decision->params, range, storage);
    ZP_RETURN_IF_ERROR(quantized.status().at("tensor '" + value.name + "'"));
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout,
                        ParamsLayout::of(quantized->shape(), decision->params.granularity));
    ValueId integers = result_.add_constant(names_.take(value.name + "_quantized"), *std::move(quantized));
    made_[id] =
        dequantize_node(integers, is_output(id) ? value.name : names_.take(value.name + "_dequantized"),
                        *decision, params_of(*decision, layout.params_shape(), storage));
    return made_[id];
  }

  /// Weights of up to 4 bits are packed in pairs by files that can; what joins activations has their type.
  [[nodiscard]] ElementType constant_storage(ValueId id, const Decision& decision) const {
    bool weights = decision.params.granularity.kind != Granularity::Kind::kPerTensor ||
                   std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
                     bool reads = std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
                     return !reads || (role_of(graph_, node).kind == NodeRole::Kind::kLayer &&
                                       node.inputs[1] == id && node.inputs[0] != id);
                   });
    QuantizedType type = decision.type;
    return type.bits > 4 || !weights ? type.storage()
                                     : (type.is_signed ? ElementType::kInt4 : ElementType::kUint4);
  }

  struct ParamIds {
    ValueId scale;
    ValueId zero_point;
  };

  /// Scale and zero point of a decision as constants.
  ParamIds params_of(const Decision& decision, const Shape& shape, ElementType storage) {
    ParamIds ids{
        result_.add_constant(names_.take(decision.tensor + "_scale"), scales_tensor(decision.params, shape)),
        kNoValue};
    visit_integer(storage, [&](auto element) {
      Tensor zero_points(storage, shape);
      for (std::size_t i = 0; i < decision.params.params.size(); ++i) {
        zero_points.data<decltype(element)>()[i] =
            static_cast<decltype(element)>(decision.params.params[i].zero_point);
      }
      ids.zero_point =
          result_.add_constant(names_.take(decision.tensor + "_zero_point"), std::move(zero_points));
    });
    return ids;
  }

  ValueId dequantize_node(ValueId integers, std::string output, const Decision& decision, ParamIds params) {
    const Granularity& granularity = decision.params.granularity;
    Attributes attributes;
    if (granularity.kind != Granularity::Kind::kPerTensor) {
      attributes["axis"] = granularity.axis;
    }
    if (granularity.kind == Granularity::Kind::kPerGroup) {
      attributes["block_size"] = granularity.group_size;
    }
    return result_.add_node(Op::kDequantizeLinear, decision.tensor + "_dequantize",
                            {integers, params.scale, params.zero_point}, std::move(output),
                            std::move(attributes));
  }

  /// After a decided activation was made: Clip if its bits need it, QuantizeLinear, DequantizeLinear; readers
  /// then read the last.
  void quantize_activation(ValueId id) {
    const std::string& name = graph_.value(id).name;
    const Decision* decision = plan_.find(name);
    if (decision != nullptr) {
      made_[id] =
          quantize_and_back(made_[id], *decision, is_output(id) ? name : names_.take(name + "_dequantized"));
    }
  }

  ValueId quantize_and_back(ValueId real, const Decision& decision, std::string output) {
    const std::string& name = decision.tensor;
    QuantizedRange range = *decision.type.range();
    if (range != storage_range(decision.type.storage()) && decision.shares_with.empty()) {
      real = clip(name, real, range, decision.params.params[0]);
    }
    ParamIds ids = params_of(decision, {}, decision.type.storage());
    ValueId integers = result_.add_node(Op::kQuantizeLinear, name + "_quantize",
                                        {real, ids.scale, ids.zero_point}, names_.take(name + "_quantized"));
    return dequantize_node(integers, std::move(output), decision, ids);
  }

  /// What `decision` makes of a tensor for its readers, once for all of them.
  ValueId requantized(ValueId mapped, const Decision& decision) {
    auto [found, is_new] = copies_.try_emplace(&decision, kNoValue);
    if (is_new) {
      found->second = quantize_and_back(mapped, decision, names_.take(decision.tensor + "_for_products"));
    }
    return found->second;
  }

  /// The decision that concerns the tensor as this node reads it, and not all its readers; or nullptr.
  [[nodiscard]] const Decision* own_decision(ValueId id, const Node& node) const {
    const std::string& name = graph_.value(id).name;
    auto found = std::find_if(plan_.decisions.begin(), plan_.decisions.end(), [&](const Decision& decision) {
      return decision.tensor == name &&
             std::find(decision.readers.begin(), decision.readers.end(), node.name) != decision.readers.end();
    });
    return found == plan_.decisions.end() ? nullptr : &*found;
  }

  /// x * W by each run's range of x, the spelling that engines know:
  ///   DynamicQuantizeLinear, MatMulInteger, Cast, Mul by the product of both scales, Add of the bias.
  Status multiply_integers(const Node& node) {
    ZP_ASSIGN_OR_RETURN(ValueId x, mapped_input(node.inputs[0]));
    auto [found, is_new] = dynamic_.try_emplace(node.inputs[0]);
    if (is_new) {
      const std::string& name = graph_.value(node.inputs[0]).name;
      Node quantize{Op::kDynamicQuantizeLinear, name + "_quantize", {x}, {}, {}};
      for (const char* suffix : {"_quantized", "_scale", "_zero_point"}) {
        quantize.outputs.push_back(result_.add_value(names_.take(name + suffix)));
      }
      found->second = quantize.outputs;
      result_.nodes.push_back(std::move(quantize));
    }
    const Value& weights = graph_.value(node.inputs[1]);
    const Decision& decision = *plan_.find(weights.name);
    ZP_ASSIGN_OR_RETURN(Tensor integers, quantize(*weights.constant, decision.params, decision.type));
    if (node.op == Op::kGemm && int_attribute(node, "transB") != 0) {
      integers = transposed(integers);
    }
    Shape scales_shape = decision.params.params.size() == 1
                             ? Shape{}
                             : Shape{static_cast<std::int64_t>(decision.params.params.size())};
    ValueId w = result_.add_constant(names_.take(weights.name + "_quantized"), std::move(integers));
    ValueId scales = result_.add_constant(names_.take(weights.name + "_scale"),
                                          scales_tensor(decision.params, scales_shape));
    const std::string& output = graph_.value(node.outputs[0]).name;
    auto add = [&](Op op, const char* what, std::vector<ValueId> inputs, Attributes attributes = {}) {
      return result_.add_node(op, node.name + what, std::move(inputs), names_.take(output + what),
                              std::move(attributes));
    };
    ValueId sums = add(Op::kMatMulInteger, "_integers", {found->second[0], w, found->second[2]});
    ValueId reals =
        add(Op::kCast, "_cast", {sums}, {{"to", static_cast<std::int64_t>(ElementType::kFloat32)}});
    ValueId scale = add(Op::kMul, "_scales", {found->second[1], scales});
    bool biased = node.has_input(2);
    made_[node.outputs[0]] = biased ? add(Op::kMul, "_scaled", {reals, scale})
                                    : result_.add_node(Op::kMul, node.name, {reals, scale}, output);
    if (biased) {
      ZP_ASSIGN_OR_RETURN(ValueId bias, mapped_input(node.inputs[2]));
      made_[node.outputs[0]] = result_.add_node(Op::kAdd, node.name, {made_[node.outputs[0]], bias}, output);
    }
    return {};
  }

  static Tensor transposed(const Tensor& matrix) {
    Tensor result(matrix.type(), {matrix.dim(1), matrix.dim(0)});
    auto from = matrix.data<std::int8_t>();
    auto to = result.data<std::int8_t>();
    auto rows = static_cast<std::size_t>(matrix.dim(0));
    auto columns = static_cast<std::size_t>(matrix.dim(1));
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i % columns * rows + i / columns] = from[i];
    }
    return result;
  }

  ValueId clip(const std::string& name, ValueId real, QuantizedRange range, QuantParams params) {
    auto bound = [&](const char* suffix, std::int64_t q) {
      return result_.add_constant(names_.take(name + suffix), Tensor::of<float>({}, {dequantize(q, params)}));
    };
    ValueId low = bound("_low", range.q_min);
    ValueId high = bound("_high", range.q_max);
    return result_.add_node(Op::kClip, name + "_clip", {real, low, high}, names_.take(name + "_clipped"));
  }

  const Graph& graph_;
  const QuantPlan& plan_;
  Graph result_;
  NewNames names_;                   // unlike those of either graph
  std::map<ValueId, ValueId> made_;  // value of the float graph -> what its readers read in the result
  std::map<const Decision*, ValueId> copies_;  // what decisions for some readers made
  std::map<ValueId, std::vector<ValueId>>
      dynamic_;  // value of the float graph -> quantized, scale, zero point
};

}  // namespace

Result<Graph> apply_plan(const Graph& graph, const QuantPlan& plan) {
  ZP_RETURN_IF_ERROR(verify(graph));
  ZP_ASSIGN_OR_RETURN(Graph complete, with_biases(graph, plan));
  return Applier(complete, plan).run();
}

}  // namespace zeropoint::toolchain
