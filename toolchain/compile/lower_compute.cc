// Products of two quantized tensors, means, softmax, normalizations.

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "compile/graph_lowering.h"

namespace zeropoint::toolchain {
namespace {

/// round(exp(-d * scale) * 2^30) for each distance d of two integers of `type`.
std::vector<std::int64_t> exponentials(float scale, ElementType type) {
  QuantizedRange range = storage_range(type);
  std::vector<std::int64_t> table;
  for (std::int64_t d = 0; d <= range.q_max - range.q_min; ++d) {
    double real = std::exp(-static_cast<double>(d) * static_cast<double>(scale));
    table.push_back(std::llround(real * 1073741824.0));
  }
  return table;
}

/// Gain or bias of a normalization: one element, or `count`.
Status check_count(const Tensor& parameter, std::optional<std::int64_t> count, const std::string& name) {
  if (parameter.type() != ElementType::kFloat32 || parameter.size() == 0 ||
      (parameter.size() != 1 && parameter.size() != count)) {
    return Status::unsupported(fmt::format("its parameter '{}' {}{} does not fit the set that is normalized",
                                           name, zeropoint::name_of(parameter.type()),
                                           zeropoint::to_string(parameter.shape())));
  }
  return {};
}

/// The product of the extents from `axis` on, where they are known.
std::optional<std::int64_t> extent_from(const Dims& dims, std::int64_t axis) {
  std::int64_t count = 1;
  for (std::size_t i = static_cast<std::size_t>(axis < 0 ? axis + std::ssize(dims) : axis); i < dims.size();
       ++i) {
    if (!dims[i].known() || __builtin_mul_overflow(count, dims[i].extent, &count)) {
      return std::nullopt;
    }
  }
  return count;
}

}  // namespace

Status GraphLowering::lower_mat_mul(const Node& node, const Target& target, TensorId output) {
  ZP_ASSIGN_OR_RETURN(QuantizedView a, operand(node, 0));
  ZP_ASSIGN_OR_RETURN(QuantizedView b, operand(node, 1));
  LayerConstants one{Tensor(), a.params.scale, {b.params.scale}, {0}, {}};
  ZP_ASSIGN_OR_RETURN(Requantization requantization, requantization_of(one, target.quantization(), mode_));
  builder_.add(MatMulOp{a.tensor, b.tensor, output, a.params.zero_point, b.params.zero_point,
                        std::move(requantization)});
  return {};
}

Status GraphLowering::lower_reduce(const Node& node, const Target& target, TensorId output) {
  ZP_ASSIGN_OR_RETURN(QuantizedView input, operand(node, 0));
  const std::optional<Dims>& dims = graph_.value(node.inputs[0]).dims;
  if (!dims) {
    return Status::unsupported("the rank of its input is not known");
  }
  ReduceOp op{input.tensor, output, {}, true, node.op != Op::kReduceSum, input.params, target.quantization()};
  if (node.op == Op::kGlobalAveragePool) {
    op.axes.resize(dims->size() < 2 ? 0 : dims->size() - 2);
    std::iota(op.axes.begin(), op.axes.end(), 2);
    builder_.add(std::move(op));
    return {};
  }
  op.keep_axes = int_attribute(node, "keepdims") != 0;
  const Tensor* axes = graph_.constant(node, 1);
  if (node.has_input(1) && (axes == nullptr || axes->type() != ElementType::kInt64)) {
    return Status::unsupported("its axes are not constant");
  }
  if (axes != nullptr && axes->size() > 0) {
    op.axes.assign(axes->data<std::int64_t>().begin(), axes->data<std::int64_t>().end());
  } else if (int_attribute(node, "noop_with_empty_axes") == 0) {
    op.axes.resize(dims->size());
    std::iota(op.axes.begin(), op.axes.end(), 0);
  }
  builder_.add(std::move(op));
  return {};
}

Status GraphLowering::lower_average_pool(const Node& node, const Target& target, TensorId output) {
  ZP_ASSIGN_OR_RETURN(QuantizedView input, operand(node, 0));
  builder_.add(AveragePoolOp{input.tensor, output, node.attributes, input.params, target.quantization()});
  return {};
}

Status GraphLowering::lower_softmax(const Node& node, const Target& target, TensorId output) {
  ZP_ASSIGN_OR_RETURN(QuantizedView input, operand(node, 0));
  builder_.add(SoftmaxOp{input.tensor, output, int_attribute(node, "axis"), node.op == Op::kLogSoftmax,
                         input.params.scale, exponentials(input.params.scale, input.type),
                         target.quantization()});
  return {};
}

Status GraphLowering::lower_normalization(const Node& node, const Target& target, TensorId output) {
  ZP_ASSIGN_OR_RETURN(QuantizedView input, operand(node, 0));
  const std::optional<Dims>& dims = graph_.value(node.inputs[0]).dims;
  if (!dims || dims->size() < 2) {
    return Status::unsupported("the rank of its input is not known, or below 2");
  }
  NormalizeOp op{
      input.tensor, output,       NormalizeOp::Kind::kGroup, -1, 0, float_attribute(node, "epsilon"), {},
      {0.0F},       input.params, target.quantization()};
  std::optional<std::int64_t> count = (*dims)[1].known() ? std::optional((*dims)[1].extent) : std::nullopt;
  if (node.op == Op::kGroupNormalization) {
    op.groups = int_attribute(node, "num_groups");
  } else if (node.op != Op::kInstanceNormalization) {
    bool centers = node.op == Op::kLayerNormalization;
    op.kind = centers ? NormalizeOp::Kind::kLayer : NormalizeOp::Kind::kRootMeanSquare;
    op.axis = int_attribute(node, "axis");
    count = extent_from(*dims, op.axis);
  }
  for (std::size_t i = 1; i < 3; ++i) {
    if (node.has_input(i)) {
      ZP_ASSIGN_OR_RETURN(Tensor parameter, constant_reals(node.inputs[i]));
      ZP_RETURN_IF_ERROR(check_count(parameter, count, graph_.value(node.inputs[i]).name));
      (i == 1 ? op.gain : op.bias).assign(parameter.data<float>().begin(), parameter.data<float>().end());
    }
  }
  builder_.add(std::move(op));
  return {};
}

}  // namespace zeropoint::toolchain
