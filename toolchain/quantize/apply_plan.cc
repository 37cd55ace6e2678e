#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "quantize/check_plan.h"
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
    ZP_RETURN_IF_ERROR(verify(graph_));
    ZP_RETURN_IF_ERROR(check_plan(graph_, plan_));
    for (const Value& value : graph_.values) {
      names_.insert(value.name);
    }
    for (ValueId input : graph_.inputs) {
      const Value& value = graph_.value(input);
      if (!value.dims) {
        return Status::invalid_argument("input '" + value.name + "' has no shape");
      }
      made_[input] = result_.add_input(value.name, value.type, *value.dims);
      ZP_RETURN_IF_ERROR(quantize_activation(input));
    }
    for (const Node& node : graph_.nodes) {
      ZP_RETURN_IF_ERROR(copy(node));
    }
    for (ValueId output : graph_.outputs) {
      ZP_ASSIGN_OR_RETURN(ValueId mapped, mapped_input(output));
      result_.outputs.push_back(mapped);
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
    Node made{node.op, node.name, std::move(inputs), {}, node.attributes};
    for (ValueId output : node.outputs) {
      made.outputs.push_back(output == kNoValue ? kNoValue : result_.add_value(name_before(output)));
      made_[output] = made.outputs.back();
    }
    result_.nodes.push_back(std::move(made));
    for (ValueId output : node.outputs) {
      if (output != kNoValue) {
        ZP_RETURN_IF_ERROR(quantize_activation(output));
      }
    }
    return {};
  }

  /// The graph's output keeps its name, so what is there before quantization gets another.
  std::string name_before(ValueId output) {
    const std::string& name = graph_.value(output).name;
    return is_output(output) && plan_.find(name) != nullptr ? unused(name + "_real") : name;
  }

  /// `name`, or where the graph has a tensor of that name already, one like it.
  std::string unused(std::string name) {
    while (!names_.insert(name).second) {
      name += '_';
    }
    return name;
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
    ValueId integers = result_.add_constant(unused(value.name + "_quantized"), *std::move(quantized));
    made_[id] = dequantize_node(integers, is_output(id) ? value.name : unused(value.name + "_dequantized"),
                                *decision, params_of(*decision, layout.params_shape()));
    return made_[id];
  }

  struct ParamIds {
    ValueId scale;
    ValueId zero_point;
  };

  /// Scale and zero point of a decision as constants.
  ParamIds params_of(const Decision& decision, const Shape& shape) {
    ParamIds ids{result_.add_constant(unused(decision.tensor + "_scale"),
                                      params_tensor<float>(decision.params, shape, &QuantParams::scale)),
                 kNoValue};
    visit_integer(decision.type.storage(), [&](auto element) {
      ids.zero_point = result_.add_constant(
          unused(decision.tensor + "_zero_point"),
          params_tensor<decltype(element)>(decision.params, shape, &QuantParams::zero_point));
    });
    return ids;
  }

  ValueId dequantize_node(ValueId integers, std::string output, const Decision& decision, ParamIds params) {
    const Granularity& granularity = decision.params.granularity;
    Attributes attributes;
    if (granularity.kind != Granularity::Kind::kPerTensor) {
      attributes["axis"] = granularity.axis;
    }
    return result_.add_node(Op::kDequantizeLinear, decision.tensor + "_dequantize",
                            {integers, params.scale, params.zero_point}, std::move(output),
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
      real = clip(name, real, range, params);
    }
    ParamIds ids = params_of(*decision, {});
    ValueId integers = result_.add_node(Op::kQuantizeLinear, name + "_quantize",
                                        {real, ids.scale, ids.zero_point}, unused(name + "_quantized"));
    made_[id] =
        dequantize_node(integers, is_output(id) ? name : unused(name + "_dequantized"), *decision, ids);
    return {};
  }

  ValueId clip(const std::string& name, ValueId real, QuantizedRange range, QuantParams params) {
    auto bound = [&](const char* suffix, std::int64_t q) {
      return result_.add_constant(unused(name + suffix), Tensor::of<float>({}, {dequantize(q, params)}));
    };
    ValueId low = bound("_low", range.q_min);
    ValueId high = bound("_high", range.q_max);
    return result_.add_node(Op::kClip, name + "_clip", {real, low, high}, unused(name + "_clipped"));
  }

  const Graph& graph_;
  const QuantPlan& plan_;
  Graph result_;
  std::set<std::string> names_;      // of all tensors of both graphs
  std::map<ValueId, ValueId> made_;  // value of the float graph -> what its readers read in the result
};

}  // namespace

Result<Graph> apply_plan(const Graph& graph, const QuantPlan& plan) { return Applier(graph, plan).run(); }

}  // namespace zeropoint::toolchain
