#include "quantize/node_role.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/quant_nodes.h"

namespace zeropoint::toolchain {
namespace {

using Kind = NodeRole::Kind;

NodeRole stays_float(std::string why) { return {Kind::kFloat, std::move(why), {}}; }

bool is_layer(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kConv:
    case Op::kConvTranspose:
    case Op::kGemm:
      return true;
    case Op::kMatMul:
      return graph.constant(node, 1) != nullptr;
    default:
      return false;
  }
}

/// The inputs that carry what flows through the network; others are constants that say how, shapes, indices.
std::vector<std::size_t> operands_of(const Node& node) {
  switch (node.op) {
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kPow:
    case Op::kMatMul:
      return {0, 1};
    case Op::kWhere:
      return {1, 2};
    case Op::kConcat:
    case Op::kMin:
    case Op::kMax:
    case Op::kSum:
    case Op::kMean: {
      std::vector<std::size_t> all(node.inputs.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = i;
      }
      return all;
    }
    default:
      return {0};
  }
}

/// What the integer form of a layer can express: a plain product plus one constant bias per channel.
NodeRole layer_role(const Graph& graph, const Node& node) {
  const Tensor* weights = graph.constant(node, 1);
  if (weights == nullptr) {
    return stays_float("its weights are not constant");
  }
  if (weights->size() == 0 || weights->type() != ElementType::kFloat32) {
    return stays_float(fmt::format("its weights are {} {}", zeropoint::name_of(weights->type()),
                                   zeropoint::to_string(weights->shape())));
  }
  if (node.op == Op::kGemm && (float_attribute(node, "alpha") != 1 || float_attribute(node, "beta") != 1 ||
                               int_attribute(node, "transA") != 0)) {
    return stays_float("alpha and beta must be 1, transA 0");
  }
  if (node.has_input(2)) {
    const Tensor* bias = bias_of(graph, node);
    std::int64_t channels = node.op == Op::kConvTranspose ? weights->dim(1) * int_attribute(node, "group")
                                                          : weights->dim(*channel_axis(graph, node));
    if (bias == nullptr || bias->type() != ElementType::kFloat32 || bias->shape() != Shape{channels}) {
      return stays_float(fmt::format("its bias '{}' is not a float32 constant [{}]",
                                     graph.value(node.inputs[2]).name, channels));
    }
  }
  return {Kind::kLayer, "", {0}};
}

/// A Resize that copies neighbours, and nothing that it extrapolates.
bool copies_neighbours(const Node& node) {
  return node.op == Op::kResize && string_attribute(node, "mode") == "nearest" &&
         string_attribute(node, "coordinate_transformation_mode") != "tf_crop_and_resize";
}

Kind kind_of(IntegerForm form) {
  switch (form) {
    case IntegerForm::kMoves:
      return Kind::kMoves;
    case IntegerForm::kTable:
      return Kind::kTable;
    case IntegerForm::kComputes:
      return Kind::kComputes;
    default:
      return Kind::kFloat;
  }
}

}  // namespace

std::optional<std::int64_t> channel_axis(const Graph& graph, const Node& node) {
  const Tensor* weights = graph.constant(node, 1);
  switch (node.op) {
    case Op::kConv:
      return 0;
    case Op::kConvTranspose:
      // Axis 1 counts the channels of one group.
      return int_attribute(node, "group") == 1 ? std::optional<std::int64_t>(1) : std::nullopt;
    case Op::kGemm:
      return int_attribute(node, "transB") == 0 ? 1 : 0;
    default:
      return weights != nullptr && weights->rank() == 2 ? std::optional<std::int64_t>(1) : std::nullopt;
  }
}

const Tensor* bias_of(const Graph& graph, const Node& node) {
  return node.op == Op::kMatMul ? nullptr : graph.constant(node, 2);
}

NodeRole role_of(const Graph& graph, const Node& node) {
  if (!carries_reals(graph, node)) {
    return {Kind::kOutside, "", {}};
  }
  if (is_layer(graph, node)) {
    NodeRole role = layer_role(graph, node);
    if (role.kind == Kind::kFloat || graph.value(node.inputs[0]).type == ElementType::kFloat32) {
      return role;
    }
  }
  NodeRole role{kind_of(info_of(node.op).integer_form), "", operands_of(node)};
  if (copies_neighbours(node)) {
    role.kind = Kind::kMoves;
  }
  if (role.kind == Kind::kFloat) {
    return stays_float("it has no integer form");
  }
  for (std::size_t i : role.operands) {
    ElementType type = node.has_input(i) ? graph.value(node.inputs[i]).type : ElementType::kFloat32;
    if (type != ElementType::kFloat32) {
      return is_real(type)
                 ? stays_float(fmt::format("its input '{}' is {}; float32 is quantized",
                                           graph.value(node.inputs[i]).name, zeropoint::name_of(type)))
                 : NodeRole{Kind::kOutside, "", {}};
    }
  }
  for (std::size_t i = 1; role.kind == Kind::kTable && i < node.inputs.size(); ++i) {
    if (node.has_input(i) && graph.constant(node, i) == nullptr) {
      return stays_float(fmt::format("its input '{}' is not constant", graph.value(node.inputs[i]).name));
    }
  }
  return role;
}

}  // namespace zeropoint::toolchain
