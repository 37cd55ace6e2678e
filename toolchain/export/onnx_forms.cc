#include "export/onnx_forms.h"

#include <fmt/format.h>

#include <algorithm>

#include "export/onnx_additions.h"
#include "export/onnx_rewrites.h"

namespace zeropoint::toolchain {
namespace {

using namespace rewrites;

/// In the opsets [from, below) the operator is said so; without a rewrite, as ops.inc has it, but for
/// attributes that came later. Opsets before the first row of an operator do not have it; one without rows is
/// as ops.inc says.
struct Form {
  Op op;
  std::int64_t from;
  std::int64_t below;
  Status (*rewrite)(OnnxNode&, Graph&) = nullptr;
};

constexpr Form kForms[] = {
    {Op::kAbs, 6, 13},
    {Op::kArgMax, 1, 12},
    {Op::kArgMin, 1, 12},
    {Op::kAveragePool, 7, 19},
    {Op::kBatchNormalization, 7, 15},
    {Op::kCeil, 6, 13},
    {Op::kClip, 6, 11, bounds_to_attributes},
    {Op::kDequantizeLinear, 10, 13, quantization_per_tensor},
    {Op::kDequantizeLinear, 13, 21, quantization_without_blocks},
    {Op::kDropout, 7, 12, ratio_to_attribute},
    {Op::kErf, 9, 13},
    {Op::kExp, 6, 13},
    {Op::kFloor, 6, 13},
    {Op::kGRU, 7, 14},
    {Op::kGatherND, 11, 12},
    {Op::kGemm, 7, 11, gemm_with_bias},
    {Op::kHardmax, 1, 13, softmax_of_trailing_axes},
    {Op::kIsInf, 10, 20},
    {Op::kIsNaN, 9, 20},
    {Op::kLSTM, 7, 14},
    {Op::kLog, 6, 13},
    {Op::kLogSoftmax, 1, 13, softmax_of_trailing_axes},
    {Op::kLpPool, 2, 18},
    {Op::kMatMul, 1, 9},
    {Op::kMax, 6, 8, inputs_of_one_shape},
    {Op::kMaxPool, 1, 8, without_indices},
    {Op::kMean, 6, 8, inputs_of_one_shape},
    {Op::kMin, 6, 8, inputs_of_one_shape},
    {Op::kNeg, 6, 13},
    {Op::kOneHot, 9, 11},
    {Op::kPad, 2, 11, pads_to_attributes},
    {Op::kPad, 11, 18, pads_of_all_axes},
    {Op::kPow, 7, 12},
    {Op::kQuantizeLinear, 10, 13, quantization_per_tensor},
    {Op::kQuantizeLinear, 13, 21, quantization_without_blocks},
    {Op::kRNN, 7, 14},
    {Op::kReciprocal, 6, 13},
    {Op::kReduceL1, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceL2, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceLogSum, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceLogSumExp, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceMax, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceMean, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceMin, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceProd, 1, 18, reduced_axes_to_attribute},
    {Op::kReduceSum, 1, 13, reduced_axes_to_attribute},
    {Op::kReduceSumSquare, 1, 18, reduced_axes_to_attribute},
    {Op::kResize, 7, 9, upsample_by_attribute},
    {Op::kResize, 9, 10, upsample},
    {Op::kResize, 10, 11, resize_by_scales},
    {Op::kResize, 11, 13, resize_with_all_inputs},
    {Op::kScatterElements, 9, 11, scatter},
    {Op::kShape, 1, 15},
    {Op::kSigmoid, 6, 13},
    {Op::kSign, 9, 13},
    {Op::kSlice, 1, 10, slice_to_attributes},
    {Op::kSoftmax, 1, 13, softmax_of_trailing_axes},
    {Op::kSplit, 2, 13, split_to_attribute},
    {Op::kSplit, 13, 18, equal_parts},
    {Op::kSqrt, 6, 13},
    {Op::kSqueeze, 1, 13, axes_to_attribute},
    {Op::kSum, 6, 8, inputs_of_one_shape},
    {Op::kTanh, 6, 13},
    {Op::kTopK, 1, 10, k_to_attribute},
    {Op::kTopK, 10, 11},
    {Op::kUnsqueeze, 1, 13, axes_to_attribute},
};

/// Operators that count axes from the end from opset 11 on alone.
constexpr Op kAxisFromEndSince11[] = {
    Op::kArgMax,       Op::kArgMin,     Op::kCompress,        Op::kConcat,         Op::kFlatten,
    Op::kGather,       Op::kReduceL1,   Op::kReduceL2,        Op::kReduceSum,      Op::kReduceMax,
    Op::kReduceMin,    Op::kReduceMean, Op::kReduceProd,      Op::kSplit,          Op::kSqueeze,
    Op::kReduceLogSum, Op::kUnsqueeze,  Op::kReduceLogSumExp, Op::kReduceSumSquare};

Status count_axes_from_start(Op op, OnnxNode& node, const Graph& graph) {
  if (node.opset >= 11 || std::find(std::begin(kAxisFromEndSince11), std::end(kAxisFromEndSince11), op) ==
                              std::end(kAxisFromEndSince11)) {
    return {};
  }
  const std::optional<Dims>& dims = graph.value(node.inputs[0]).dims;
  auto rank = dims ? static_cast<std::int64_t>(dims->size()) : 0;
  auto positive = [&](std::int64_t& axis) {
    axis += axis < 0 ? rank : 0;
    return axis >= 0;
  };
  bool known = true;
  for (const char* name : {"axis", "axes"}) {
    auto found = node.attributes.find(name);
    if (found == node.attributes.end()) {
      continue;
    }
    if (auto* axis = std::get_if<std::int64_t>(&found->second)) {
      known = positive(*axis);
    } else if (auto* axes = std::get_if<std::vector<std::int64_t>>(&found->second)) {
      rank += dims && op == Op::kUnsqueeze ? static_cast<std::int64_t>(axes->size()) : 0;
      known = std::all_of(axes->begin(), axes->end(), positive);
    }
  }
  return known ? Status() : Status::unsupported("axes that are counted from the end of an unknown rank");
}

}  // namespace

Status to_form_of_opset(OnnxNode& node, Graph& graph) {
  Op op = *find_op(node.op, node.domain);
  if (!node.domain.empty()) {
    return {};
  }
  bool exists = node.opset >= info_of(op).since;
  for (const Form& form : kForms) {
    if (form.op != op || node.opset < form.from || node.opset >= form.below) {
      continue;
    }
    exists = true;
    if (form.rewrite != nullptr) {
      ZP_RETURN_IF_ERROR(form.rewrite(node, graph));
    }
  }
  if (!exists) {
    return Status::unsupported("the operator");
  }
  ZP_RETURN_IF_ERROR(leave_out_later_attributes(op, node));
  ZP_RETURN_IF_ERROR(check_values(op, node));
  ZP_RETURN_IF_ERROR(count_axes_from_start(op, node, graph));
  return check_types(op, node, graph);
}

}  // namespace zeropoint::toolchain
