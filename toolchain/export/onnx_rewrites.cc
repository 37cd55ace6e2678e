#include "export/onnx_rewrites.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "simplify/graph_view.h"

namespace zeropoint::toolchain::rewrites {
namespace {

using Ints = std::vector<std::int64_t>;

bool has(const OnnxNode& node, std::size_t i) { return i < node.inputs.size() && node.inputs[i] != kNoValue; }

const Tensor* constant(const OnnxNode& node, const Graph& graph, std::size_t i) {
  return has(node, i) ? graph.value(node.inputs[i]).constant.get() : nullptr;
}

/// The elements of a constant list of integers.
std::optional<Ints> ints_of(const Tensor* tensor) {
  if (tensor == nullptr || (tensor->type() != ElementType::kInt64 && tensor->type() != ElementType::kInt32)) {
    return std::nullopt;
  }
  Ints values;
  visit_integer(tensor->type(), [&](auto element) {
    auto data = tensor->data<decltype(element)>();
    values.assign(data.begin(), data.end());
  });
  return values;
}

std::optional<float> float_of(const Tensor* tensor) {
  return tensor != nullptr && tensor->type() == ElementType::kFloat32 && tensor->size() == 1
             ? std::optional(tensor->data<float>()[0])
             : std::nullopt;
}

const std::optional<Dims>& dims_of_input(const OnnxNode& node, const Graph& graph) {
  return graph.value(node.inputs[0]).dims;
}

/// Input `i`, where it is there, becomes the attribute `name`.
Status ints_to_attribute(OnnxNode& node, const Graph& graph, std::size_t i, const char* name) {
  if (!has(node, i)) {
    return {};
  }
  std::optional<Ints> values = ints_of(constant(node, graph, i));
  if (!values) {
    return Status::unsupported(fmt::format("{} that are computed", name));
  }
  node.attributes[name] = *std::move(values);
  return {};
}

std::int64_t int_or(const OnnxNode& node, std::string_view name, std::int64_t fallback) {
  auto found = node.attributes.find(name);
  const auto* value = found == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  return value == nullptr ? fallback : *value;
}

std::string string_or(const OnnxNode& node, std::string_view name, const char* fallback) {
  auto found = node.attributes.find(name);
  const auto* value = found == node.attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  return value == nullptr ? fallback : *value;
}

}  // namespace

Status axes_to_attribute(OnnxNode& node, Graph& graph) {
  ZP_RETURN_IF_ERROR(ints_to_attribute(node, graph, 1, "axes"));
  node.inputs.resize(1);
  return {};
}

Status reduced_axes_to_attribute(OnnxNode& node, Graph& graph) {
  bool keeps_all = int_or(node, "noop_with_empty_axes", 0) != 0;
  ZP_RETURN_IF_ERROR(axes_to_attribute(node, graph));
  auto axes = node.attributes.find("axes");
  bool none = axes == node.attributes.end() || std::get<Ints>(axes->second).empty();
  if (none && keeps_all) {
    return Status::unsupported("no reduction where no axes are given");
  }
  if (none && axes != node.attributes.end()) {
    node.attributes.erase(axes);
  }
  node.attributes.erase("noop_with_empty_axes");
  return {};
}

Status bounds_to_attributes(OnnxNode& node, Graph& graph) {
  for (std::size_t i : {1U, 2U}) {
    if (has(node, i)) {
      std::optional<float> bound = float_of(constant(node, graph, i));
      if (!bound) {
        return Status::unsupported("bounds that are computed, or no float32");
      }
      node.attributes[i == 1 ? "min" : "max"] = *bound;
    }
  }
  node.inputs.resize(1);
  return {};
}

Status pads_of_all_axes(OnnxNode& node, Graph& /*graph*/) {
  if (has(node, 3)) {
    return Status::unsupported("pads of some axes only");
  }
  if (string_or(node, "mode", "constant") == "wrap") {
    return Status::unsupported("padding by wrapping around");
  }
  node.inputs.resize(std::min<std::size_t>(node.inputs.size(), 3));
  return {};
}

Status pads_to_attributes(OnnxNode& node, Graph& graph) {
  ZP_RETURN_IF_ERROR(pads_of_all_axes(node, graph));
  ZP_RETURN_IF_ERROR(ints_to_attribute(node, graph, 1, "pads"));
  if (has(node, 2)) {
    std::optional<float> value = float_of(constant(node, graph, 2));
    if (!value) {
      return Status::unsupported("a padding value that is computed, or no float32");
    }
    node.attributes["value"] = *value;
  }
  node.inputs.resize(1);
  return {};
}

Status slice_to_attributes(OnnxNode& node, Graph& graph) {
  if (has(node, 4)) {
    std::optional<Ints> steps = ints_of(constant(node, graph, 4));
    if (!steps || std::any_of(steps->begin(), steps->end(), [](std::int64_t step) { return step != 1; })) {
      return Status::unsupported("steps");
    }
  }
  ZP_RETURN_IF_ERROR(ints_to_attribute(node, graph, 1, "starts"));
  ZP_RETURN_IF_ERROR(ints_to_attribute(node, graph, 2, "ends"));
  ZP_RETURN_IF_ERROR(ints_to_attribute(node, graph, 3, "axes"));
  node.inputs.resize(1);
  return {};
}

Status equal_parts(OnnxNode& node, Graph& graph) {
  std::int64_t parts = int_or(node, "num_outputs", 0);
  if (parts == 0) {
    return {};
  }
  const std::optional<Dims>& dims = dims_of_input(node, graph);
  std::int64_t axis = int_or(node, "axis", 0);
  if (dims && axis < 0) {
    axis += static_cast<std::int64_t>(dims->size());
  }
  bool known = dims && axis >= 0 && axis < static_cast<std::int64_t>(dims->size()) &&
               (*dims)[static_cast<std::size_t>(axis)].known();
  if (!known || (*dims)[static_cast<std::size_t>(axis)].extent % parts != 0 ||
      parts != static_cast<std::int64_t>(node.outputs.size())) {
    return Status::unsupported("parts that may differ in size");
  }
  node.attributes.erase("num_outputs");
  return {};
}

Status split_to_attribute(OnnxNode& node, Graph& graph) {
  ZP_RETURN_IF_ERROR(equal_parts(node, graph));
  ZP_RETURN_IF_ERROR(ints_to_attribute(node, graph, 1, "split"));
  node.inputs.resize(1);
  return {};
}

Status k_to_attribute(OnnxNode& node, Graph& graph) {
  std::optional<Ints> k = ints_of(constant(node, graph, 1));
  if (!k || k->size() != 1) {
    return Status::unsupported("a k that is computed");
  }
  node.attributes["k"] = k->front();
  node.inputs.resize(1);
  return {};
}

Status ratio_to_attribute(OnnxNode& node, Graph& graph) {
  const Tensor* training = constant(node, graph, 2);
  if (has(node, 2) && (training == nullptr || training->size() != 1 || *training->bytes() != std::byte{0})) {
    return Status::unsupported("training that an input switches on");
  }
  if (has(node, 1)) {
    std::optional<float> ratio = float_of(constant(node, graph, 1));
    if (!ratio) {
      return Status::unsupported("a ratio that is computed, or no float32");
    }
    node.attributes["ratio"] = *ratio;
  }
  node.attributes.erase("seed");
  node.inputs.resize(1);
  return {};
}

Status softmax_of_trailing_axes(OnnxNode& node, Graph& graph) {
  const std::optional<Dims>& dims = dims_of_input(node, graph);
  std::int64_t axis = int_or(node, "axis", -1);
  if (!dims) {
    return axis == -1 && node.opset >= 11 ? (node.attributes["axis"] = axis, Status())
                                          : Status::unsupported("an input of unknown rank");
  }
  auto rank = static_cast<std::int64_t>(dims->size());
  axis += axis < 0 ? rank : 0;
  for (std::int64_t i = axis + 1; i < rank; ++i) {
    if ((*dims)[static_cast<std::size_t>(i)] != Dim(1)) {
      return Status::unsupported("an axis that is not the last one");
    }
  }
  node.attributes["axis"] = axis;
  return {};
}

Status resize_with_all_inputs(OnnxNode& node, Graph& graph) {
  for (std::size_t i : {1U, 2U}) {
    if (!has(node, i)) {
      node.inputs.resize(std::max<std::size_t>(node.inputs.size(), i + 1), kNoValue);
      std::string name = NewNames(graph).take(node.name + (i == 1 ? "_roi" : "_scales"));
      node.inputs[i] = graph.add_constant(std::move(name), Tensor(ElementType::kFloat32, {0}));
    }
  }
  return {};
}

/// Resize of opset 10 gives no more than this: nearest of the pixels before, or linear, from the first pixel
/// on.
Status resize_by_scales(OnnxNode& node, Graph& graph) {
  std::string mode = string_or(node, "mode", "nearest");
  bool nearest_before = mode == "nearest" && string_or(node, "nearest_mode", "") == "floor";
  if ((!nearest_before && mode != "linear") ||
      string_or(node, "coordinate_transformation_mode", "") != "asymmetric") {
    return Status::unsupported(
        "coordinates other than asymmetric, nearest pixels other than floor, or cubic");
  }
  const Tensor* scales = constant(node, graph, 2);
  bool grows = scales != nullptr && scales->type() == ElementType::kFloat32 && scales->size() > 0 &&
               std::all_of(scales->data<float>().begin(), scales->data<float>().end(),
                           [](float scale) { return scale >= 1; });
  if (!grows || has(node, 3)) {
    return Status::unsupported("sizes, or scales that are computed or below 1");
  }
  node.inputs = {node.inputs[0], node.inputs[2]};
  node.attributes.erase("coordinate_transformation_mode");
  node.attributes.erase("nearest_mode");
  return {};
}

Status upsample(OnnxNode& node, Graph& graph) {
  ZP_RETURN_IF_ERROR(resize_by_scales(node, graph));
  node.op = "Upsample";
  return {};
}

Status upsample_by_attribute(OnnxNode& node, Graph& graph) {
  ZP_RETURN_IF_ERROR(upsample(node, graph));
  std::span<const float> scales = graph.value(node.inputs[1]).constant->data<float>();
  node.attributes["scales"] = std::vector<float>(scales.begin(), scales.end());
  node.inputs.resize(1);
  return {};
}

Status inputs_of_one_shape(OnnxNode& node, Graph& graph) {
  const std::optional<Dims>& first = dims_of_input(node, graph);
  for (ValueId input : node.inputs) {
    if (!first || graph.value(input).dims != first) {
      return Status::unsupported("inputs of different shapes");
    }
  }
  return {};
}

Status gemm_with_bias(OnnxNode& node, Graph& /*graph*/) {
  return has(node, 2) ? Status() : Status::unsupported("a product without a bias");
}

Status without_indices(OnnxNode& node, Graph& /*graph*/) {
  return node.outputs.size() == 1 ? Status() : Status::unsupported("the indices of the largest elements");
}

Status scatter(OnnxNode& node, Graph& /*graph*/) {
  node.op = "Scatter";
  return {};
}

}  // namespace zeropoint::toolchain::rewrites
