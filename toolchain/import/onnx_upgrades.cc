#include "import/onnx_upgrades.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "zeropoint/half.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::max();

using Ints = std::vector<std::int64_t>;

/// Attribute `name`, where it is there, becomes input `i`.
Status ints_to_input(OnnxNode& node, GraphBuilder& builder, const char* name, std::size_t i) {
  if (std::optional<Ints> values = node.take<Ints>(name)) {
    node.set_input(i, add_ints(builder, node, name, *values));
  }
  return {};
}

Status axes_to_input(OnnxNode& node, GraphBuilder& builder) {
  return ints_to_input(node, builder, "axes", 1);
}

Status split_to_input(OnnxNode& node, GraphBuilder& builder) {
  return ints_to_input(node, builder, "split", 1);
}

/// Before opset 18 a Split without sizes makes as many equal parts as the node has outputs.
Status split_into_outputs(OnnxNode& node, GraphBuilder& builder) {
  ZP_RETURN_IF_ERROR(split_to_input(node, builder));
  if (node.inputs.size() < 2 || node.inputs[1] == kNoValue) {
    node.attributes["num_outputs"] = static_cast<std::int64_t>(node.outputs.size());
  }
  return {};
}

/// An attribute, which is float32 whatever the operands are, as a constant of their type.
Tensor number_like(const OnnxNode& node, const GraphBuilder& builder, float value) {
  bool has_data = !node.inputs.empty() && node.inputs[0] != kNoValue;
  ElementType type = has_data ? builder.value(node.inputs[0]).type : ElementType::kFloat32;
  Tensor number = Tensor::of<float>({}, {value});
  if (type == ElementType::kFloat64) {
    return Tensor::of<double>({}, {value});
  }
  return is_half(type) ? narrow(number, type) : number;
}

Status pad_to_inputs(OnnxNode& node, GraphBuilder& builder) {
  ZP_RETURN_IF_ERROR(ints_to_input(node, builder, "pads", 1));
  if (std::optional<float> value = node.take<float>("value")) {
    node.set_input(2, builder.add_constant(node.name + "_value", number_like(node, builder, *value)));
  }
  return {};
}

Status slice_to_inputs(OnnxNode& node, GraphBuilder& builder) {
  ZP_RETURN_IF_ERROR(ints_to_input(node, builder, "starts", 1));
  ZP_RETURN_IF_ERROR(ints_to_input(node, builder, "ends", 2));
  return ints_to_input(node, builder, "axes", 3);
}

Status top_k_to_inputs(OnnxNode& node, GraphBuilder& builder) {
  if (std::optional<std::int64_t> k = node.take<std::int64_t>("k")) {
    node.set_input(1, add_ints(builder, node, "k", {*k}));
  }
  return {};
}

Status clip_to_inputs(OnnxNode& node, GraphBuilder& builder) {
  std::size_t i = 1;
  for (const char* bound : {"min", "max"}) {
    if (std::optional<float> value = node.take<float>(bound)) {
      node.set_input(i, builder.add_constant(node.name + "_" + bound, number_like(node, builder, *value)));
    }
    ++i;
  }
  return {};
}

/// In inference a Dropout passes its input on, whatever its ratio.
Status dropout_for_inference(OnnxNode& node, GraphBuilder& /*builder*/) {
  node.attributes.erase("ratio");
  node.attributes.erase("is_test");
  return {};
}

/// Before opset 14 the further outputs are there in training alone.
Status batch_norm_for_inference(OnnxNode& node, GraphBuilder& /*builder*/) {
  std::int64_t spatial = node.take<std::int64_t>("spatial").value_or(1);
  if (spatial != 1) {
    return Status::unsupported("statistics for each position (spatial = 0) are not supported");
  }
  node.attributes.erase("is_test");
  node.outputs.resize(std::min<std::size_t>(1, node.outputs.size()));
  return {};
}

/// Which pixel is the nearest one of Upsample and of Resize of opset 10: the one before where the image
/// grows, the one after where it shrinks (ONNX's test resize_downsample_nearest of opset 10).
Result<Attribute> nearest_by_scales(const OnnxNode& node, const GraphBuilder& builder) {
  const Tensor* scales = builder.known(node.inputs[2]);
  auto mode = node.attributes.find("mode");
  bool nearest = mode == node.attributes.end() || mode->second == Attribute(std::string("nearest"));
  if (!nearest || node.op == "Upsample") {
    return Attribute(std::string("floor"));  // an Upsample does not shrink
  }
  if (scales == nullptr || scales->type() != ElementType::kFloat32) {
    return Status::unsupported(
        "before opset 11, nearest pixels by scales that are not constant are not supported");
  }
  std::span<const float> factors = scales->data<float>();
  bool grows = std::all_of(factors.begin(), factors.end(), [](float factor) { return factor >= 1; });
  bool shrinks = std::all_of(factors.begin(), factors.end(), [](float factor) { return factor <= 1; });
  if (!grows && !shrinks) {
    return Status::unsupported(
        "before opset 11, nearest pixels of an image that grows along one axis and shrinks along another "
        "are not supported");
  }
  return Attribute(std::string(grows ? "floor" : "ceil"));
}

/// Upsample, and Resize of opset 10, scale from the first pixel on.
Status upsample_to_resize(OnnxNode& node, GraphBuilder& builder) {
  if (std::optional<std::vector<float>> scales = node.take<std::vector<float>>("scales")) {
    node.set_input(
        1, builder.add_constant(node.name + "_scales",
                                Tensor::of<float>({static_cast<std::int64_t>(scales->size())}, *scales)));
  }
  if (node.inputs.size() != 2) {
    return Status::corrupt(fmt::format("it has {} inputs; data and scales are needed", node.inputs.size()));
  }
  node.inputs.insert(node.inputs.begin() + 1, kNoValue);
  ZP_ASSIGN_OR_RETURN(node.attributes["nearest_mode"], nearest_by_scales(node, builder));
  node.op = "Resize";
  node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  if (auto mode = node.attributes.find("mode");
      mode != node.attributes.end() && mode->second == Attribute(std::string("bilinear"))) {
    mode->second = std::string("linear");
  }
  return {};
}

Status scatter_to_elements(OnnxNode& node, GraphBuilder& /*builder*/) {
  node.op = "ScatterElements";
  return {};
}

/// The axis that a function over axes [axis, rank) works along alone: all others of them have the extent 1.
std::optional<std::int64_t> only_axis(const std::optional<Dims>& dims, std::int64_t axis) {
  if (!dims) {
    return std::nullopt;
  }
  auto rank = static_cast<std::int64_t>(dims->size());
  std::int64_t first = axis < 0 ? axis + rank : axis;
  std::optional<std::int64_t> only;
  for (std::int64_t i = std::max<std::int64_t>(first, 0); i < rank; ++i) {
    if ((*dims)[static_cast<std::size_t>(i)] == Dim(1)) {
      continue;
    }
    if (only) {
      return std::nullopt;
    }
    only = i;
  }
  return only ? only : std::optional(first);
}

/// Before opset 13 Softmax and its kin work on the axes from `axis` (1) on as if they were one.
Status softmax_over_one_axis(OnnxNode& node, GraphBuilder& builder) {
  std::int64_t axis = node.take<std::int64_t>("axis").value_or(1);
  if (node.inputs.size() != 1 || node.inputs[0] == kNoValue) {
    return Status::corrupt("it needs one input");
  }
  ValueId x = node.inputs[0];
  if (std::optional<std::int64_t> only = only_axis(builder.dims(x), axis)) {
    node.attributes["axis"] = *only;
    return {};
  }
  std::optional<Op> op = find_op(node.op);
  ZP_ASSIGN_OR_RETURN(ValueId shape, builder.add_node(Op::kShape, node.name + "_shape", {x}));
  ZP_ASSIGN_OR_RETURN(ValueId flat,
                      builder.add_node(Op::kFlatten, node.name + "_flat", {x}, {{"axis", axis}}));
  ZP_ASSIGN_OR_RETURN(ValueId result,
                      builder.add_node(*op, node.name + "_of_flat", {flat}, {{"axis", std::int64_t{-1}}}));
  node.op = "Reshape";
  node.inputs = {result, shape};
  const std::optional<Dims>& dims = builder.dims(x);
  if (dims && std::count(dims->begin(), dims->end(), Dim(0)) > 0) {
    node.attributes["allowzero"] = std::int64_t{1};  // a 0 in the shape stands for itself
  }
  return {};
}

/// Opset 18 has one scale and bias per group, 21 one per channel.
Status group_norm_per_channel(OnnxNode& node, GraphBuilder& builder) {
  const std::optional<Dims>& dims = builder.dims(node.inputs.empty() ? kNoValue : node.inputs[0]);
  auto found = node.attributes.find("num_groups");
  const auto* groups = found == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  if (node.inputs.size() != 3 || !dims || dims->size() < 2 || !(*dims)[1].known() || groups == nullptr ||
      *groups < 1 || (*dims)[1].extent % *groups != 0) {
    return Status::unsupported("the number of its channels must be known and a multiple of num_groups");
  }
  std::int64_t per_group = (*dims)[1].extent / *groups;
  for (std::size_t i : {1U, 2U}) {
    std::string name = fmt::format("{}_{}", node.name, i == 1 ? "scale" : "bias");
    ValueId column = add_ints(builder, node, "column", {*groups, 1});
    ValueId all = add_ints(builder, node, "channels", {*groups, per_group});
    ValueId flat = add_ints(builder, node, "flat", {-1});
    ZP_ASSIGN_OR_RETURN(ValueId tall, builder.add_node(Op::kReshape, name, {node.inputs[i], column}));
    ZP_ASSIGN_OR_RETURN(ValueId wide, builder.add_node(Op::kExpand, name, {tall, all}));
    ZP_ASSIGN_OR_RETURN(node.inputs[i], builder.add_node(Op::kReshape, name, {wide, flat}));
  }
  return {};
}

/// Opset 27 has halves counted in `stash_type`; here numbers of any type are counted in float64 and rounded
/// once, which holds what float32 holds.
Status range_of_halves(OnnxNode& node, GraphBuilder& /*builder*/) {
  auto found = node.attributes.find("stash_type");
  if (found == node.attributes.end()) {
    return {};
  }
  if (found->second != Attribute(static_cast<std::int64_t>(ElementType::kFloat32))) {
    return Status::unsupported("its stash_type is not 1, float32");
  }
  node.attributes.erase(found);
  return {};
}

/// What ONNX Runtime added before ONNX had it.
Status to_onnx_domain(OnnxNode& node, GraphBuilder& /*builder*/) {
  node.domain = "";
  return {};
}

Status to_rms_normalization(OnnxNode& node, GraphBuilder& /*builder*/) {
  node.op = "RMSNormalization";
  node.domain = "";
  return {};
}

Status quick_gelu_to_swish(OnnxNode& node, GraphBuilder& /*builder*/) {
  node.op = "Swish";
  node.domain = "";
  node.attributes.try_emplace("alpha", 1.702F);
  return {};
}

struct Upgrade {
  std::string_view op;
  std::string_view domain;
  std::int64_t below;  // the first opset whose form needs it no more
  Status (*apply)(OnnxNode&, GraphBuilder&);
};

constexpr Upgrade kUpgrades[] = {
    {"BatchNormalization", "", 14, batch_norm_for_inference},
    {"Clip", "", 11, clip_to_inputs},
    {"Dropout", "", 12, dropout_for_inference},
    {"GroupNormalization", "", 21, group_norm_per_channel},
    {"Hardmax", "", 13, softmax_over_one_axis},
    {"LogSoftmax", "", 13, softmax_over_one_axis},
    {"Pad", "", 11, pad_to_inputs},
    {"Range", "", kAlways, range_of_halves},
    {"ReduceL1", "", 18, axes_to_input},
    {"ReduceL2", "", 18, axes_to_input},
    {"ReduceLogSum", "", 18, axes_to_input},
    {"ReduceLogSumExp", "", 18, axes_to_input},
    {"ReduceMax", "", 18, axes_to_input},
    {"ReduceMean", "", 18, axes_to_input},
    {"ReduceMin", "", 18, axes_to_input},
    {"ReduceProd", "", 18, axes_to_input},
    {"ReduceSum", "", 13, axes_to_input},
    {"ReduceSumSquare", "", 18, axes_to_input},
    {"Resize", "", 11, upsample_to_resize},
    {"Scatter", "", kAlways, scatter_to_elements},
    {"SimplifiedLayerNormalization", "", kAlways, to_rms_normalization},
    {"Slice", "", 10, slice_to_inputs},
    {"Softmax", "", 13, softmax_over_one_axis},
    {"Split", "", 18, split_into_outputs},
    {"Squeeze", "", 13, axes_to_input},
    {"TopK", "", 10, top_k_to_inputs},
    {"Unsqueeze", "", 13, axes_to_input},
    {"Upsample", "", kAlways, upsample_to_resize},
    {"DequantizeLinear", "com.microsoft", kAlways, to_onnx_domain},
    {"Gelu", "com.microsoft", kAlways, to_onnx_domain},
    {"QuantizeLinear", "com.microsoft", kAlways, to_onnx_domain},
    {"QuickGelu", "com.microsoft", kAlways, quick_gelu_to_swish},
};

}  // namespace

ValueId add_ints(GraphBuilder& builder, const OnnxNode& node, const char* what, const Ints& values) {
  return builder.add_constant(node.name + "_" + what,
                              Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

Status upgrade(OnnxNode& node, GraphBuilder& builder) {
  if (node.opset < 7 && node.domain.empty()) {
    ZP_RETURN_IF_ERROR(upgrade_to_opset_7(node, builder)
                           .at(fmt::format("{} '{}' of opset {}", node.op, node.name, node.opset)));
  }
  for (const Upgrade& upgrade : kUpgrades) {
    if (upgrade.op == node.op && upgrade.domain == node.domain && node.opset < upgrade.below) {
      return upgrade.apply(node, builder)
          .at(fmt::format("{} '{}' of opset {}", node.op, node.name, node.opset));
    }
  }
  return {};
}

}  // namespace zeropoint::toolchain
