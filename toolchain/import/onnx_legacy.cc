#include <fmt/format.h>

#include <algorithm>

#include "import/onnx_upgrades.h"

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;

/// Attributes `broadcast` and `axis`: the second input's axes lie over those of the first from `axis` on, or
/// over its last ones.
Status broadcast_from_axis(OnnxNode& node, GraphBuilder& builder) {
  node.take<std::int64_t>("broadcast");
  std::optional<std::int64_t> axis = node.take<std::int64_t>("axis");
  if (!axis || node.inputs.size() != 2) {
    return {};
  }
  const std::optional<Dims>& a = builder.dims(node.inputs[0]);
  const std::optional<Dims>& b = builder.dims(node.inputs[1]);
  if (!a || !b) {
    return Status::unsupported(
        "the number of its inputs' axes must be known, to broadcast them from attribute axis on");
  }
  std::int64_t first = *axis < 0 ? *axis + std::ssize(*a) : *axis;
  std::int64_t behind = std::ssize(*a) - first - std::ssize(*b);
  if (first < 0 || behind < 0) {
    return Status::corrupt(
        fmt::format("axis {} does not fit inputs {} and {}", *axis, to_string(*a), to_string(*b)));
  }
  if (behind == 0) {
    return {};
  }
  Ints axes;
  for (std::int64_t i = 0; i < behind; ++i) {
    axes.push_back(std::ssize(*b) + i);
  }
  ValueId list = add_ints(builder, node, "axes", axes);
  ZP_ASSIGN_OR_RETURN(node.inputs[1],
                      builder.add_node(Op::kUnsqueeze, node.name + "_broadcast", {node.inputs[1], list}));
  return {};
}

/// A slope per channel stands for the second axis.
Status slope_per_channel(OnnxNode& node, GraphBuilder& builder) {
  if (node.inputs.size() != 2 || !builder.dims(node.inputs[1]) || builder.dims(node.inputs[1])->size() != 1) {
    return {};
  }
  if ((*builder.dims(node.inputs[1]))[0] == Dim(1)) {
    return {};
  }
  node.attributes["axis"] = std::int64_t{1};
  return broadcast_from_axis(node, builder);
}

Status drop_broadcast(OnnxNode& node, GraphBuilder& /*builder*/) {
  node.take<std::int64_t>("broadcast");
  return {};
}

Status shape_to_input(OnnxNode& node, GraphBuilder& builder) {
  if (std::optional<Ints> shape = node.take<Ints>("shape")) {
    node.set_input(1, add_ints(builder, node, "shape", *shape));
  }
  return {};
}

Status join_channels(OnnxNode& node, GraphBuilder& /*builder*/) {
  if (node.opset < 4) {
    node.attributes.try_emplace("axis", std::int64_t{1});
  }
  return {};
}

Status rename_paddings(OnnxNode& node, GraphBuilder& /*builder*/) {
  if (std::optional<Ints> pads = node.take<Ints>("paddings")) {
    node.attributes["pads"] = *pads;
  }
  return {};
}

/// Element types by name.
Status cast_by_name(OnnxNode& node, GraphBuilder& /*builder*/) {
  std::optional<std::string> name = node.take<std::string>("to");
  if (!name) {
    return {};
  }
  std::transform(name->begin(), name->end(), name->begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  constexpr std::pair<std::string_view, ElementType> kOther[] = {{"float", ElementType::kFloat32},
                                                                 {"double", ElementType::kFloat64}};
  for (const auto& [other, type] : kOther) {
    if (*name == other) {
      node.attributes["to"] = static_cast<std::int64_t>(type);
      return {};
    }
  }
  for (std::int64_t number = 1; number < 32; ++number) {
    std::optional<ElementType> type = element_type_of(number);
    if (type && name_of(*type) == *name) {
      node.attributes["to"] = number;
      return {};
    }
  }
  return Status::unsupported(fmt::format("element type '{}' is not supported", *name));
}

/// One axis and its number of tiles.
Status tile_one_axis(OnnxNode& node, GraphBuilder& builder) {
  if (node.opset >= 6) {
    return {};
  }
  const Tensor* tiles = node.inputs.size() == 3 ? builder.known(node.inputs[1]) : nullptr;
  const Tensor* axis = node.inputs.size() == 3 ? builder.known(node.inputs[2]) : nullptr;
  bool known = tiles != nullptr && axis != nullptr && tiles->type() == ElementType::kInt64 &&
               axis->type() == ElementType::kInt64 && tiles->size() == 1 && axis->size() == 1 &&
               builder.dims(node.inputs[0]);
  std::int64_t rank = known ? std::ssize(*builder.dims(node.inputs[0])) : 0;
  if (!known || axis->data<std::int64_t>()[0] < 0 || axis->data<std::int64_t>()[0] >= rank) {
    return Status::unsupported("its tiles and its axis must be constants");
  }
  Ints repeats(static_cast<std::size_t>(rank), 1);
  repeats[static_cast<std::size_t>(axis->data<std::int64_t>()[0])] = tiles->data<std::int64_t>()[0];
  node.inputs = {node.inputs[0], add_ints(builder, node, "repeats", repeats)};
  return {};
}

Status selu_of_opset_1(OnnxNode& node, GraphBuilder& /*builder*/) {
  if (node.opset < 6) {
    node.attributes.try_emplace("alpha", 1.6732F);
    node.attributes.try_emplace("gamma", 1.0507F);
  }
  return {};
}

struct Legacy {
  std::string_view op;
  Status (*apply)(OnnxNode&, GraphBuilder&);
};

constexpr Legacy kLegacy[] = {
    {"Add", broadcast_from_axis}, {"And", broadcast_from_axis},     {"Cast", cast_by_name},
    {"Concat", join_channels},    {"Div", broadcast_from_axis},     {"Equal", broadcast_from_axis},
    {"Gemm", drop_broadcast},     {"Greater", broadcast_from_axis}, {"Less", broadcast_from_axis},
    {"Mul", broadcast_from_axis}, {"Or", broadcast_from_axis},      {"PRelu", slope_per_channel},
    {"Pad", rename_paddings},     {"Pow", broadcast_from_axis},     {"Reshape", shape_to_input},
    {"Selu", selu_of_opset_1},    {"Sub", broadcast_from_axis},     {"Tile", tile_one_axis},
    {"Xor", broadcast_from_axis},
};

}  // namespace

Status upgrade_to_opset_7(OnnxNode& node, GraphBuilder& builder) {
  node.attributes.erase("consumed_inputs");  // a hint to run in place, which opset 6 dropped
  for (const Legacy& legacy : kLegacy) {
    if (legacy.op == node.op) {
      return legacy.apply(node, builder);
    }
  }
  return {};
}

}  // namespace zeropoint::toolchain
