#include "quantize/check_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "graph/attention_mask.h"
#include "quantize/node_role.h"
#include "zeropoint/requantize.h"

namespace zeropoint::toolchain {
namespace {

class PlanChecker {
 public:
  PlanChecker(const Graph& graph, const QuantPlan& plan)
      : graph_(graph), plan_(plan), producers_(producers(graph)) {
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      ids_[graph.values[i].name] = static_cast<ValueId>(i);
    }
    std::vector<std::vector<std::int32_t>> readers = consumers(graph);
    for (const Node& node : graph.nodes) {
      if (std::optional<AttentionMask> mask = attention_mask(graph, node, readers)) {
        masks_.insert(mask->mask);
      }
    }
  }

  Status run() const {
    std::set<std::string_view> seen;
    for (const Decision& decision : plan_.decisions) {
      auto found = ids_.find(decision.tensor);
      if (found == ids_.end()) {
        return Status::not_found("the plan names tensor '" + decision.tensor +
                                 "', which the graph does not have");
      }
      Status status = seen.insert(decision.tensor).second ? check(decision, found->second)
                                                          : invalid("it is decided twice");
      ZP_RETURN_IF_ERROR(status.at("plan for tensor '" + decision.tensor + "'"));
    }
    return {};
  }

 private:
  static Status invalid(std::string why) { return Status::invalid_argument(std::move(why)); }

  [[nodiscard]] Status check(const Decision& decision, ValueId id) const {
    ZP_RETURN_IF_ERROR(check_type(decision));
    const Tensor* constant = graph_.value(id).constant.get();
    bool is_activation = decision.role == TensorRole::kActivation;
    if (is_activation == (constant != nullptr)) {
      return invalid(constant != nullptr ? "it is a constant, so its role cannot be activation"
                                         : "it is computed, so its role must be activation");
    }
    ZP_RETURN_IF_ERROR(is_activation ? check_activation(decision, id) : check_constant(decision, id));
    return check_params(decision);
  }

  /// Only what DequantizeLinear of opset 13 can hold, and what the integer layers compute with.
  static Status check_type(const Decision& decision) {
    ZP_RETURN_IF_ERROR(decision.type.range().status());
    bool fits = decision.role == TensorRole::kBias ? decision.type == QuantizedType{32, true}
                                                   : decision.type.bits <= 8;
    if (fits) {
      return {};
    }
    return invalid(fmt::format("its type cannot be {}; {} is needed", decision.type.name(),
                               decision.role == TensorRole::kBias ? "int32 for a bias" : "2 to 8 bits"));
  }

  [[nodiscard]] Status check_activation(const Decision& decision, ValueId id) const {
    if (decision.params.granularity.kind != Granularity::Kind::kPerTensor ||
        decision.params.params.size() != 1) {
      return invalid("an activation needs one scale and one zero point for the whole tensor");
    }
    if (graph_.value(id).type != ElementType::kFloat32) {
      return invalid("only float32 can be quantized");
    }
    if (decision.shares_with.empty()) {
      return {};
    }
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    const Node* node = maker < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(maker)];
    if (node == nullptr || plan_.find(decision.shares_with) == nullptr ||
        role_of(graph_, *node).kind != NodeRole::Kind::kMoves || !reads(*node, decision.shares_with)) {
      return invalid(fmt::format("it cannot have the integers of '{}'", decision.shares_with));
    }
    return check_sources(decision, *node);
  }

  [[nodiscard]] bool reads(const Node& node, std::string_view tensor) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return input != kNoValue && graph_.value(input).name == tensor;
    });
  }

  /// All tensors whose elements `node` moves must have the decision's parameters.
  [[nodiscard]] Status check_sources(const Decision& decision, const Node& node) const {
    for (std::size_t operand : role_of(graph_, node).operands) {
      const std::string& name = graph_.value(node.inputs[operand]).name;
      const Decision* source = plan_.find(name);
      if (source == nullptr || source->type != decision.type || source->params != decision.params) {
        return invalid(
            fmt::format("it has the integers of '{}', so type, scale and zero point must be equal", name));
      }
    }
    return {};
  }

  [[nodiscard]] Status check_constant(const Decision& decision, ValueId id) const {
    const Tensor& constant = *graph_.value(id).constant;
    if (masks_.count(id) == 0) {  // a mask may be -inf
      ZP_RETURN_IF_ERROR(ranges_of(constant, Granularity::per_tensor()).status());
    }
    if (decision.params.granularity.kind == Granularity::Kind::kPerGroup) {
      return Status::unsupported("scales per group have no integer layer yet");
    }
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(constant.shape(), decision.params.granularity));
    const std::vector<QuantParams>& params = decision.params.params;
    if (static_cast<std::int64_t>(params.size()) != layout.count()) {
      return invalid(fmt::format("a tensor of shape {} needs {} scales, not {}",
                                 zeropoint::to_string(constant.shape()), layout.count(), params.size()));
    }
    return decision.role == TensorRole::kBias ? check_bias(constant, layout, params) : Status();
  }

  /// A weight may be clipped; a bias that is would be another bias.
  static Status check_bias(const Tensor& bias, const ParamsLayout& layout,
                           const std::vector<QuantParams>& params) {
    for (std::int64_t i = 0; i < bias.size(); ++i) {
      float value = bias.data<float>()[static_cast<std::size_t>(i)];
      float scale = params[static_cast<std::size_t>(layout.index_of(i))].scale;
      if (!(std::abs(value / scale) < 2147483648.0F)) {
        return invalid(fmt::format("element {}, {}, does not fit int32 at scale {}", i, value, scale));
      }
    }
    return {};
  }

  static Status check_params(const Decision& decision) {
    ZP_ASSIGN_OR_RETURN(QuantizedRange range, decision.type.range());
    for (const QuantParams& params : decision.params.params) {
      if (!std::isnormal(params.scale) || params.scale < 0 ||
          !std::isfinite(params.scale * static_cast<float>(range.q_max - range.q_min))) {
        return invalid(
            fmt::format("scale {} is not a positive normal number of steps that stay finite", params.scale));
      }
      if (params.zero_point < range.q_min || params.zero_point > range.q_max) {
        return invalid(fmt::format("zero point {} is outside of {}, [{}, {}]", params.zero_point,
                                   decision.type.name(), range.q_min, range.q_max));
      }
    }
    return {};
  }

  const Graph& graph_;
  const QuantPlan& plan_;
  std::set<ValueId> masks_;
  std::vector<std::int32_t> producers_;
  std::map<std::string_view, ValueId> ids_;
};

}  // namespace

Status check_plan(const Graph& graph, const QuantPlan& plan) { return PlanChecker(graph, plan).run(); }

}  // namespace zeropoint::toolchain
