#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "graph/op_info.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

/// The scale (or zero point) of `params` as a constant of the shape ONNX wants.
template <typename T, typename Member>
Tensor params_tensor(const TensorParams& params, const Shape& shape, Member member) {
  std::vector<T> values;
  for (const QuantParams& p : params.params) {
    values.push_back(static_cast<T>(p.*member));
  }
  return Tensor::of<T>(shape, values);
}

class Applier {
 public:
  Applier(const Graph& graph, const QuantPlan& plan) : graph_(graph), plan_(plan) {
    result_.name = graph.name;
    result_.metadata = graph.metadata;
  }

  Result<Graph> run() {
    for (const Decision& decision : plan_.decisions) {
      if (graph_.find(decision.tensor) == kNoValue) {
        return Status::not_found("the plan names tensor '" + decision.tensor +
                                 "', which the graph does not have");
      }
    }
    for (ValueId input : graph_.inputs) {
      const Value& value = graph_.value(input);
      made_[input] = result_.add_input(value.name, value.type, *value.dims);
      ZP_RETURN_IF_ERROR(quantize_activation(input));
    }
    for (const Node& node : graph_.nodes) {
      ZP_RETURN_IF_ERROR(copy(node));
    }
    for (ValueId output : graph_.outputs) {
      result_.outputs.push_back(made_.at(output));
    }
    ZP_RETURN_IF_ERROR(verify(result_));
    ZP_RETURN_IF_ERROR(infer_shapes(result_));
    return std::move(result_);
  }

 private:
  Status copy(const Node& node) {
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) {
      ZP_ASSIGN_OR_RETURN(ValueId mapped, mapped_input(input));
      inputs.push_back(mapped);
    }
    ValueId output = node.outputs[0];
    const Value& value = graph_.value(output);
    bool quantized_output = is_output(output) && plan_.find(value.name) != nullptr;
    // The graph's output keeps its name, so what the layer makes before quantization gets another.
    made_[output] = result_.add_node(node.op, node.name, std::move(inputs),
                                     quantized_output ? value.name + "_real" : value.name, node.attributes);
    return quantize_activation(output);
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
    Result<Tensor> quantized = quantize(*value.constant, decision->params, decision->type);
    ZP_RETURN_IF_ERROR(quantized.status().at("tensor '" + value.name + "'"));
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout,
                        ParamsLayout::of(quantized->shape(), decision->params.granularity));
    ValueId integers = result_.add_constant(value.name + "_quantized", *std::move(quantized));
    made_[id] =
        dequantize_node(value.name, integers, value.name + "_dequantized", *decision, layout.params_shape());
    return made_[id];
  }

  /// Scale and zero point constants of a decision; made once per tensor.
  std::vector<ValueId> params_of(const std::string& name, const Decision& decision, const Shape& shape) {
    ValueId scale = result_.find(name + "_scale");
    if (scale != kNoValue) {
      return {scale, result_.find(name + "_zero_point")};
    }
    scale = result_.add_constant(name + "_scale",
                                 params_tensor<float>(decision.params, shape, &QuantParams::scale));
    ValueId zero_point = kNoValue;
    visit_integer(decision.type.storage(), [&](auto element) {
      zero_point = result_.add_constant(
          name + "_zero_point",
          params_tensor<decltype(element)>(decision.params, shape, &QuantParams::zero_point));
    });
    return {scale, zero_point};
  }

  ValueId dequantize_node(const std::string& name, ValueId integers, std::string output,
                          const Decision& decision, const Shape& params_shape) {
    std::vector<ValueId> inputs = params_of(name, decision, params_shape);
    inputs.insert(inputs.begin(), integers);
    const Granularity& granularity = decision.params.granularity;
    std::map<std::string, Attribute> attributes;
    if (granularity.kind != Granularity::Kind::kPerTensor) {
      attributes["axis"] = granularity.axis;
    }
    if (granularity.kind == Granularity::Kind::kPerGroup) {
      attributes["block_size"] = granularity.group_size;
    }
    return result_.add_node(Op::kDequantizeLinear, name + "_dequantize", std::move(inputs), std::move(output),
                            std::move(attributes));
  }

  /// After a decided activation was made: Clip if its bits need it, QuantizeLinear, DequantizeLinear; readers
  /// then read the last.
  Status quantize_activation(ValueId id) {
    const std::string& name = graph_.value(id).name;
    const Decision* decision = plan_.find(name);
    if (decision == nullptr) {
      return {};
    }
    QuantParams params = decision->params.params[0];
    ZP_ASSIGN_OR_RETURN(QuantizedRange range, decision->type.range());
    ValueId real = made_[id];
    if (range != storage_range(decision->type.storage()) && decision->shares_with.empty()) {
      ValueId low = result_.add_constant(name + "_low",
                                         Tensor::of<float>({}, std::vector{dequantize(range.q_min, params)}));
      ValueId high = result_.add_constant(
          name + "_high", Tensor::of<float>({}, std::vector{dequantize(range.q_max, params)}));
      real = result_.add_node(Op::kClip, name + "_clip", {real, low, high}, name + "_clipped");
    }
    std::vector<ValueId> inputs = params_of(name, *decision, {});
    inputs.insert(inputs.begin(), real);
    ValueId integers =
        result_.add_node(Op::kQuantizeLinear, name + "_quantize", std::move(inputs), name + "_quantized");
    made_[id] = dequantize_node(name, integers, is_output(id) ? name : name + "_dequantized", *decision, {});
    return {};
  }

  const Graph& graph_;
  const QuantPlan& plan_;
  Graph result_;
  std::map<ValueId, ValueId> made_;  // value of the float graph -> what its readers read in the result
};

}  // namespace

Result<Graph> apply_plan(const Graph& graph, const QuantPlan& plan) { return Applier(graph, plan).run(); }

}  // namespace zeropoint::toolchain
