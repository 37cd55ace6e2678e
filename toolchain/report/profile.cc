#include "zeropoint/toolchain/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/conversions.h"
#include "report/node_cost.h"
#include "report/peak_activations.h"

namespace zeropoint::toolchain {
namespace {

/// Of layers with weights, as many as these need scales where each channel has its own; 1 for others.
std::int64_t channels_of(const Node& node, const Tensor& weights) {
  switch (node.op) {
    case Op::kConv:
    case Op::kConvInteger:
    case Op::kQLinearConv:
      return weights.dim(0);
    case Op::kConvTranspose:
      return weights.dim(1) * int_attribute(node, "group");
    case Op::kGemm:
    case Op::kQGemm:
      return weights.dim(int_attribute(node, "transB") != 0 ? 0 : 1);
    case Op::kMatMul:
    case Op::kMatMulInteger:
    case Op::kQLinearMatMul:
      return weights.dim(weights.rank() - 1);
    default:
      return 1;
  }
}

class Profiler {
 public:
  explicit Profiler(const Graph& graph) : graph_(graph), makers_(producers(graph)) {}

  Result<Profile> run() {
    std::vector<bool> is_conversion = conversions(graph_);
    ZP_RETURN_IF_ERROR(check_elements());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!is_conversion[i]) {
        ZP_RETURN_IF_ERROR(add(graph_.nodes[i]));
      }
    }
    result_.peak_activations = peak_activations(graph_, is_conversion);
    return std::move(result_);
  }

 private:
  /// All tensors together must be countable: to declare hostile shapes needs no memory.
  [[nodiscard]] Status check_elements() const {
    std::int64_t total = 0;
    for (const Value& value : graph_.values) {
      if (value.dims && has_known_extents(*value.dims)) {
        Result<std::int64_t> elements = element_count(shape_of(*value.dims, 1));
        ZP_RETURN_IF_ERROR(elements.status().at("tensor '" + value.name + "'"));
        if (__builtin_add_overflow(total, *elements, &total)) {
          return Status::unsupported("the tensors have more elements than 63 bits can count");
        }
      }
    }
    return {};
  }

  Status add(const Node& node) {
    LayerProfile layer{node.name, node.op, std::nullopt, 0, 0, 0, 0, 0, 0};
    if (!node.outputs.empty() && node.outputs[0] != kNoValue) {
      const std::optional<Dims>& dims = graph_.value(node.outputs[0]).dims;
      if (dims && has_known_extents(*dims)) {
        layer.output = shape_of(*dims, 1);
      }
    }
    for (ValueId output : node.outputs) {
      layer.activations += output == kNoValue ? 0 : known_elements(graph_.value(output));
    }
    ZP_ASSIGN_OR_RETURN(NodeCost cost, cost_of(graph_, node));
    layer.multiply_adds = cost.multiply_adds;
    layer.flops = cost.flops;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      count_parameter(node, i, layer);
    }
    result_.parameters += layer.parameters;
    result_.weights += layer.weights;
    result_.channels += layer.channels;
    result_.activations += layer.activations;
    bool overflow =
        __builtin_add_overflow(result_.multiply_adds, layer.multiply_adds, &result_.multiply_adds);
    overflow = __builtin_add_overflow(result_.flops, layer.flops, &result_.flops) || overflow;
    if (overflow) {
      return Status::unsupported("the nodes together cost more than can be counted");
    }
    result_.layers.push_back(std::move(layer));
    return {};
  }

  /// A constant counts at the first node that reads it, directly or through DequantizeLinear.
  void count_parameter(const Node& node, std::size_t input, LayerProfile& layer) {
    if (!node.has_input(input)) {
      return;
    }
    ValueId id = node.inputs[input];
    std::int32_t maker = makers_[static_cast<std::size_t>(id)];
    bool dequantized =
        maker >= 0 && graph_.nodes[static_cast<std::size_t>(maker)].op == Op::kDequantizeLinear;
    id = dequantized ? graph_.nodes[static_cast<std::size_t>(maker)].inputs[0] : id;
    const Tensor* constant = graph_.value(id).constant.get();
    if (constant == nullptr || !(dequantized || is_parameter(node, *constant)) ||
        !counted_.insert(id).second) {
      return;
    }
    layer.parameters += constant->size();
    if (constant->rank() >= 2) {
      layer.weights += constant->size();
      layer.channels += channels_of(node, *constant);
    }
  }

  /// What was trained, as opposed to what says how: shapes, bounds, scales.
  static bool is_parameter(const Node& node, const Tensor& constant) {
    if (info_of(node.op).integer_form == IntegerForm::kBorder) {
      return constant.rank() >= 2 || constant.type() == ElementType::kInt32;
    }
    bool layer = node.op == Op::kConv || node.op == Op::kConvTranspose || node.op == Op::kGemm;
    bool real = constant.type() == ElementType::kFloat32 || constant.type() == ElementType::kFloat64 ||
                constant.type() == ElementType::kFloat16 || constant.type() == ElementType::kBFloat16;
    return node.op != Op::kResize && ((real && (layer || constant.size() > 1)) ||
                                      (node.op == Op::kMatMulNBits && constant.rank() >= 2));
  }

  const Graph& graph_;
  std::vector<std::int32_t> makers_;
  std::set<ValueId> counted_;
  Profile result_;
};

}  // namespace

std::int64_t Profile::model_bytes(int weight_bits) const {
  if (weight_bits == 32) {
    return parameters * 4;
  }
  return (weights * weight_bits + 7) / 8 + (parameters - weights) * 4 + channels * 4;
}

Result<Profile> profile(const Graph& original, const Shape& input_shape) {
  Graph graph = original;
  if (!input_shape.empty() && graph.inputs.size() != 1) {
    return Status::invalid_argument(
        fmt::format("a shape can be given to graphs with one input; this one has {}", graph.inputs.size()));
  }
  for (ValueId input : graph.inputs) {
    std::optional<Dims>& dims = graph.value(input).dims;
    if (!dims && input_shape.empty()) {
      return Status::invalid_argument("input '" + graph.value(input).name + "' has no shape");
    }
    dims = dims_of(input_shape.empty() ? shape_of(*dims, 1) : input_shape);
  }
  ZP_RETURN_IF_ERROR(infer_shapes(graph));
  return Profiler(graph).run();
}

std::int64_t constant_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      std::int64_t count = value.constant->size();
      bool in_pairs = value.type == ElementType::kInt4 || value.type == ElementType::kUint4;
      bytes += in_pairs ? (count + 1) / 2 : count * static_cast<std::int64_t>(size_of(value.type));
    }
  }
  return bytes;
}

}  // namespace zeropoint::toolchain
