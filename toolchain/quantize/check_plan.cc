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
        masks_.insert(mask->mask.begin(), mask->mask.end());
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
      bool first = !decision.readers.empty() || seen.insert(decision.tensor).second;
      Status status = first ? check(decision, found->second) : invalid("it is decided twice");
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
    if (!decision.readers.empty() || decision.dynamic) {
      ZP_RETURN_IF_ERROR(check_readers(decision, id));
    }
    if (decision.dynamic) {
      return decision.type == QuantizedType{8, false} ? Status()
                                                      : invalid("what each run quantizes is uint8");
    }
    ZP_RETURN_IF_ERROR(is_activation ? check_activation(decision, id) : check_constant(decision, id));
    return check_params(decision);
  }

  /// That each reader reads the tensor, as no other decision says, and can read it so.
  [[nodiscard]] Status check_readers(const Decision& decision, ValueId id) const {
    if (decision.role != TensorRole::kActivation || decision.readers.empty()) {
      return invalid(decision.readers.empty() ? "a dynamic one must name its readers"
                                              : "only activations are read in several ways");
    }
    for (const std::string& name : decision.readers) {
      auto reader = std::find_if(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
        return node.name == name &&
               std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
      });
      if (reader == graph_.nodes.end()) {
        return invalid(fmt::format("no node '{}' reads it", name));
      }
      auto claims = [&](const Decision& other) {
        return other.tensor == decision.tensor &&
               std::find(other.readers.begin(), other.readers.end(), name) != other.readers.end();
      };
      if (std::count_if(plan_.decisions.begin(), plan_.decisions.end(), claims) > 1) {
        return invalid(fmt::format("it is decided twice for node '{}'", name));
      }
      if (decision.dynamic) {
        ZP_RETURN_IF_ERROR(check_dynamic(*reader, id));
      }
    }
    return {};
  }

  /// A product by a matrix whose integers MatMulInteger takes.
  [[nodiscard]] Status check_dynamic(const Node& node, ValueId id) const {
    bool product = (node.op == Op::kMatMul || node.op == Op::kGemm) &&
                   role_of(graph_, node).kind == NodeRole::Kind::kLayer && node.inputs[0] == id;
    const Decision* weights = product ? plan_.find(graph_.value(node.inputs[1]).name) : nullptr;
    if (weights == nullptr || weights->type.bits > 8 ||
        weights->params.granularity.kind == Granularity::Kind::kPerGroup ||
        (weights->params.params.size() > 1 && weights->params.granularity != granularity_of_channels(node)) ||
        std::any_of(weights->params.params.begin(), weights->params.params.end(),
                    [](const QuantParams& params) { return params.zero_point != 0; })) {
      return invalid(
          fmt::format("{} cannot read it so: it must be a product by a matrix of at most 8 bits, zero point "
                      "0 and one scale "
                      "per output channel or in all",
                      describe(node)));
    }
    return {};
  }

  [[nodiscard]] Granularity granularity_of_channels(const Node& node) const {
    return Granularity::per_channel(channel_axis(graph_, node).value_or(-1));
  }

  /// What the integer layers compute with.
  static Status check_type(const Decision& decision) {
    ZP_RETURN_IF_ERROR(decision.type.range().status());
    bool fits = decision.role == TensorRole::kBias ? decision.type == QuantizedType{32, true}
                                                   : decision.type.bits <= 16;
    if (fits) {
      return {};
    }
    return invalid(
        fmt::format("its type cannot be {}; {} is needed", decision.type.name(),
                    decision.role == TensorRole::kBias ? "int32 for a bias" : "2 to 8 or 16 bits"));
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
    if (decision.params.granularity.kind == Granularity::Kind::kPerGroup && is_in_integer_layer(id)) {
      return Status::unsupported(
          "scales per group have no integer layer; they are for layers whose input is float");
    }
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(constant.shape(), decision.params.granularity));
    const std::vector<QuantParams>& params = decision.params.params;
    if (static_cast<std::int64_t>(params.size()) != layout.count()) {
      return invalid(fmt::format("a tensor of shape {} needs {} scales, not {}",
                                 zeropoint::to_string(constant.shape()), layout.count(), params.size()));
    }
    return decision.role == TensorRole::kBias ? check_bias(constant, layout, params) : Status();
  }

  /// Whether a layer reads the constant as weights beside an input that is quantized.
  [[nodiscard]] bool is_in_integer_layer(ValueId id) const {
    return std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
      return node.has_input(1) && node.inputs[1] == id &&
             role_of(graph_, node).kind == NodeRole::Kind::kLayer &&
             plan_.find(graph_.value(node.inputs[0]).name) != nullptr;
    });
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
