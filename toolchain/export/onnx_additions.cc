#include "export/onnx_additions.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace zeropoint::toolchain {
namespace {

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

/// Values of attributes that operators know in the opsets [since, below) alone.
struct LaterValue {
  Op op;
  std::string_view name;
  std::string_view value;
  std::int64_t since;
  std::int64_t below = std::numeric_limits<std::int64_t>::max();
};

constexpr LaterValue kLaterValues[] = {
    {Op::kPad, "mode", "wrap", 19},
    {Op::kResize, "coordinate_transformation_mode", "half_pixel_symmetric", 19},
    {Op::kResize, "coordinate_transformation_mode", "tf_half_pixel_for_nn", 11, 13},
    {Op::kScatterElements, "reduction", "max", 18},
    {Op::kScatterElements, "reduction", "min", 18},
    {Op::kScatterND, "reduction", "max", 18},
    {Op::kScatterND, "reduction", "min", 18},
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
      {"eB", 27, {Op::kRange}},
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

}  // namespace

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

Status check_values(Op op, const OnnxNode& node) {
  for (const LaterValue& later : kLaterValues) {
    auto found = later.op == op ? node.attributes.find(later.name) : node.attributes.end();
    bool known = node.opset >= later.since && node.opset < later.below;
    if (found != node.attributes.end() && !known && found->second == Attribute(std::string(later.value))) {
      return Status::unsupported(fmt::format("{} '{}'", later.name, later.value));
    }
  }
  return {};
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

}  // namespace zeropoint::toolchain
