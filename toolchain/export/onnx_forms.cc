#include "export/onnx_forms.h"

#include <fmt/format.h>

#include <algorithm>

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
    {Op::kGelu, 7, 20, gelu_of_microsoft},
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
    {Op::kSwish, 7, 24, quick_gelu},
    {Op::kTanh, 6, 13},
    {Op::kTopK, 1, 10, k_to_attribute},
    {Op::kTopK, 10, 11},
    {Op::kUnsqueeze, 1, 13, axes_to_attribute},
};

/// Attributes that came after their operators. In older opsets one that has its default is left out; others
/// cannot be said.
struct LaterAttribute {
  Op op;
  std::string_view name;
  std::int64_t since;
};

constexpr LaterAttribute kLaterAttributes[] = {
    {Op::kArgMax, "select_last_index", 12},
    {Op::kArgMin, "select_last_index", 12},
    {Op::kAveragePool, "ceil_mode", 10},
    {Op::kAveragePool, "dilations", 19},
    {Op::kBatchNormalization, "training_mode", 14},
    {Op::kCast, "round_mode", 24},
    {Op::kCast, "saturate", 19},
    {Op::kCastLike, "round_mode", 24},
    {Op::kCastLike, "saturate", 19},
    {Op::kConstant, "value_float", 12},
    {Op::kConstant, "value_floats", 12},
    {Op::kConstant, "value_int", 12},
    {Op::kConstant, "value_ints", 12},
    {Op::kDepthToSpace, "mode", 11},
    {Op::kDequantizeLinear, "block_size", 21},
    {Op::kDequantizeLinear, "output_dtype", 23},
    {Op::kGRU, "layout", 14},
    {Op::kGatherND, "batch_dims", 12},
    {Op::kLSTM, "layout", 14},
    {Op::kLpPool, "ceil_mode", 18},
    {Op::kLpPool, "dilations", 18},
    {Op::kMaxPool, "ceil_mode", 10},
    {Op::kMaxPool, "dilations", 10},
    {Op::kMaxPool, "storage_order", 8},
    {Op::kQuantizeLinear, "block_size", 21},
    {Op::kQuantizeLinear, "output_dtype", 21},
    {Op::kQuantizeLinear, "precision", 23},
    {Op::kQuantizeLinear, "saturate", 19},
    {Op::kRNN, "layout", 14},
    {Op::kReshape, "allowzero", 14},
    {Op::kResize, "antialias", 18},
    {Op::kResize, "axes", 18},
    {Op::kResize, "coordinate_transformation_mode", 11},
    {Op::kResize, "cubic_coeff_a", 11},
    {Op::kResize, "exclude_outside", 11},
    {Op::kResize, "extrapolation_value", 11},
    {Op::kResize, "keep_aspect_ratio_policy", 18},
    {Op::kResize, "nearest_mode", 11},
    {Op::kScatterElements, "reduction", 16},
    {Op::kScatterND, "reduction", 16},
    {Op::kShape, "end", 15},
    {Op::kShape, "start", 15},
    {Op::kTopK, "largest", 11},
    {Op::kTopK, "sorted", 11},
};

bool is_default(const AttributeInfo& info, const Attribute& attribute) {
  if (const auto* number = std::get_if<int>(&info.kind_or_default)) {
    return attribute == Attribute(std::int64_t{*number});
  }
  if (const auto* number = std::get_if<float>(&info.kind_or_default)) {
    return attribute == Attribute(*number);
  }
  const auto* text = std::get_if<std::string_view>(&info.kind_or_default);
  return text != nullptr && attribute == Attribute(std::string(*text));
}

/// Lists of ones, as of dilations, say nothing either.
bool says_nothing(const AttributeInfo& info, const Attribute& attribute) {
  const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute);
  return is_default(info, attribute) ||
         (info.name == "dilations" && list != nullptr &&
          std::all_of(list->begin(), list->end(), [](std::int64_t extent) { return extent == 1; }));
}

Status leave_out_later_attributes(Op op, OnnxNode& node) {
  for (const LaterAttribute& later : kLaterAttributes) {
    auto found =
        later.op == op && node.opset < later.since ? node.attributes.find(later.name) : node.attributes.end();
    if (found == node.attributes.end()) {
      continue;
    }
    if (!says_nothing(*info_of(op).find_attribute(later.name), found->second)) {
      return Status::unsupported(fmt::format("attribute '{}'", later.name));
    }
    node.attributes.erase(found);
  }
  return {};
}

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

/// Element types that operators took later than their first form: `types` as letters of letter_of().
struct LaterTypes {
  std::string_view types;
  std::int64_t since;
  std::vector<Op> ops;
};

/// One per type, as in NumPy's type codes; n and N are the 4-bit integers, B bfloat16.
char letter_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return 'f';
    case ElementType::kFloat64:
      return 'd';
    case ElementType::kFloat16:
      return 'e';
    case ElementType::kBFloat16:
      return 'B';
    case ElementType::kInt8:
      return 'b';
    case ElementType::kUint8:
      return 'u';
    case ElementType::kInt16:
      return 'h';
    case ElementType::kUint16:
      return 'H';
    case ElementType::kInt32:
      return 'i';
    case ElementType::kUint32:
      return 'I';
    case ElementType::kInt64:
      return 'q';
    case ElementType::kUint64:
      return 'Q';
    case ElementType::kBool:
      return '?';
    case ElementType::kInt4:
      return 'n';
    case ElementType::kUint4:
      return 'N';
  }
  return ' ';
}

const std::vector<LaterTypes>& later_types() {
  static const std::vector<LaterTypes> kTable{
      {"buhH", 14, {Op::kAdd, Op::kSub, Op::kMul, Op::kDiv}},
      {"buhHiIqQ", 9, {Op::kGreater, Op::kLess}},
      {"buhHiIqQ", 11, {Op::kPad}},
      {"buhHiIqQ", 11, {Op::kTopK}},
      {"buhHiIqQ", 12, {Op::kClip, Op::kMax, Op::kMin}},
      {"buhHiIqQ?", 9, {Op::kFlatten}},
      {"buhHIQfde", 11, {Op::kEqual}},
      {"bhiq", 14, {Op::kRelu}},
      {"iIqQ", 9, {Op::kGemm, Op::kMatMul, Op::kPRelu}},
      {"iq", 12, {Op::kPow}},
      {"bu", 12, {Op::kMaxPool, Op::kReduceMax, Op::kReduceMin}},
      {"?", 13, {Op::kPad}},
      {"?", 20, {Op::kReduceMax, Op::kReduceMin}},
      {"e", 14, {Op::kCumSum}},
      {"e", 20, {Op::kIsInf}},
      {"eB", 19, {Op::kQuantizeLinear, Op::kDequantizeLinear}},
      {"B", 14, {Op::kBatchNormalization, Op::kCumSum}},
      {"B", 16, {Op::kGreaterOrEqual, Op::kLessOrEqual, Op::kLeakyRelu, Op::kPRelu, Op::kWhere}},
      {"B",
       22,
       {Op::kAcos,
        Op::kAcosh,
        Op::kAsin,
        Op::kAsinh,
        Op::kAtan,
        Op::kAtanh,
        Op::kAveragePool,
        Op::kConv,
        Op::kConvTranspose,
        Op::kCos,
        Op::kCosh,
        Op::kElu,
        Op::kEyeLike,
        Op::kGRU,
        Op::kGlobalAveragePool,
        Op::kGlobalLpPool,
        Op::kLSTM,
        Op::kGlobalMaxPool,
        Op::kHardSigmoid,
        Op::kHardSwish,
        Op::kInstanceNormalization,
        Op::kLpNormalization,
        Op::kLpPool,
        Op::kMaxPool,
        Op::kMaxUnpool,
        Op::kMish,
        Op::kRNN,
        Op::kRound,
        Op::kSelu,
        Op::kSin,
        Op::kSinh,
        Op::kSoftplus,
        Op::kSoftsign,
        Op::kTan,
        Op::kThresholdedRelu}},
  };
  return kTable;
}

/// The opset from which on the operator takes a value of that type, as far as that came later than its form.
std::int64_t oldest_of_type(Op op, ElementType type) {
  if (type == ElementType::kInt4 || type == ElementType::kUint4) {
    return 21;
  }
  std::int64_t oldest = type == ElementType::kBFloat16 ? 13 : 0;
  for (const LaterTypes& later : later_types()) {
    if (later.types.find(letter_of(type)) != std::string_view::npos &&
        std::find(later.ops.begin(), later.ops.end(), op) != later.ops.end()) {
      oldest = std::max(oldest, later.since);
    }
  }
  return oldest;
}

Status check_types(Op op, const OnnxNode& node, const Graph& graph) {
  if (!node.domain.empty()) {
    return {};
  }
  auto check = [&](const Value& value) {
    return node.opset >= oldest_of_type(op, value.type)
               ? Status()
               : Status::unsupported(fmt::format("{} '{}'", name_of(value.type), value.name));
  };
  // What else a node reads has the type of one of these, or one that never changed (axes, shapes).
  for (std::size_t i = 0; i < std::min<std::size_t>(node.inputs.size(), op == Op::kPow ? 2 : 1); ++i) {
    ZP_RETURN_IF_ERROR(check(graph.value(node.inputs[i])));
  }
  return node.outputs.empty() || node.outputs[0] == kNoValue ? Status() : check(graph.value(node.outputs[0]));
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
  ZP_RETURN_IF_ERROR(count_axes_from_start(op, node, graph));
  return check_types(op, node, graph);
}

}  // namespace zeropoint::toolchain
