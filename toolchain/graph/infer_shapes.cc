#include <fmt/format.h>

#include <algorithm>

#include "graph/inference.h"
#include "graph/shapes/shape_rules.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {
namespace {

using ShapeRule = Status (*)(InferenceContext&);

ShapeRule rule_of(Op op) {
  static constexpr ShapeRule kRules[] = {
#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, ...) rule##_shape,
#include "zeropoint/ops.inc"
  };
  return kRules[static_cast<std::size_t>(op)];
}

/// Whether a tensor of those dims is known to have `count` elements along at most one axis. Rules that read
/// elements rely on it.
bool has_elements(const std::optional<Dims>& dims, std::size_t count) {
  return dims && (dims->empty() ? count == 1 : *dims == Dims{Dim(static_cast<std::int64_t>(count))});
}

std::optional<std::vector<std::int64_t>> numbers_of(const Elements& elements) {
  if (!elements) {
    return std::nullopt;
  }
  std::vector<std::int64_t> numbers;
  for (const SymbolicInt& element : *elements) {
    const auto* number = std::get_if<std::int64_t>(&element);
    if (number == nullptr) {
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

Dim dim_of(const SymbolicInt& element) {
  const auto* number = std::get_if<std::int64_t>(&element);
  return number == nullptr ? Dim(std::get<std::string>(element)) : Dim(*number);
}

SymbolicInt element_of(const Dim& dim) {
  return dim.known() ? SymbolicInt(dim.extent) : SymbolicInt(dim.symbol);
}

const Elements& InferenceContext::elements(std::size_t i) const {
  static const Elements kUnknown;
  return has(i) ? elements_[static_cast<std::size_t>(node_.inputs[i])] : kUnknown;
}

std::optional<std::vector<std::int64_t>> InferenceContext::ints(std::size_t i) const {
  return numbers_of(elements(i));
}

void InferenceContext::set_type(std::size_t output, ElementType type) {
  if (output < outputs_.size()) {
    outputs_[output].type = type;
  }
}

void InferenceContext::set_dims(std::size_t output, Dims dims) {
  if (output < outputs_.size()) {
    outputs_[output].dims = std::move(dims);
  }
}

void InferenceContext::set_elements(std::size_t output, std::vector<SymbolicInt> elements) {
  if (output < outputs_.size() && elements.size() <= static_cast<std::size_t>(kMostElements)) {
    outputs_[output].elements = std::make_shared<const std::vector<SymbolicInt>>(std::move(elements));
  }
}

Elements elements_of(const Tensor& tensor) {
  if (tensor.rank() > 1 || tensor.size() > kMostElements) {
    return nullptr;
  }
  std::vector<SymbolicInt> elements;
  if (tensor.type() == ElementType::kInt64) {
    for (std::int64_t element : tensor.data<std::int64_t>()) {
      elements.emplace_back(element);
    }
  } else if (tensor.type() == ElementType::kInt32) {
    for (std::int32_t element : tensor.data<std::int32_t>()) {
      elements.emplace_back(std::int64_t{element});
    }
  } else {
    return nullptr;
  }
  return std::make_shared<const std::vector<SymbolicInt>>(std::move(elements));
}

std::optional<Tensor> tensor_of(const Elements& elements, const Value& value) {
  std::optional<std::vector<std::int64_t>> numbers = numbers_of(elements);
  if (!numbers || value.type != ElementType::kInt64 || !has_elements(value.dims, numbers->size())) {
    return std::nullopt;
  }
  return Tensor::of(shape_of(*value.dims, -1), *numbers);
}

Status infer_node(Graph& graph, const Node& node, std::vector<Elements>& elements) {
  InferenceContext context(graph, node, elements);
  ZP_RETURN_IF_ERROR(rule_of(node.op)(context).at(describe(node)));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) {
      continue;
    }
    InferenceContext::Answer& answer = context.outputs()[i];
    Value& output = graph.value(node.outputs[i]);
    if (answer.dims && std::ssize(*answer.dims) > kLargestRank) {
      return Status::unsupported(fmt::format("{}: its output has {} axes; at most {} are supported",
                                             describe(node), answer.dims->size(), kLargestRank));
    }
    output.type = answer.type;
    output.dims = std::move(answer.dims);
    bool counted = answer.elements != nullptr && has_elements(output.dims, answer.elements->size());
    elements[static_cast<std::size_t>(node.outputs[i])] = counted ? std::move(answer.elements) : nullptr;
  }
  return {};
}

Result<std::vector<Elements>> infer_shapes_and_elements(Graph& graph) {
  std::vector<Elements> elements(graph.values.size());
  for (const Node& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Tensor* constant = graph.constant(node, i);
      if (constant == nullptr) {
        continue;
      }
      if (Elements& known = elements[static_cast<std::size_t>(node.inputs[i])]; known == nullptr) {
        known = elements_of(*constant);
      }
    }
    ZP_RETURN_IF_ERROR(infer_node(graph, node, elements));
  }
  return elements;
}

Status infer_shapes(Graph& graph) { return infer_shapes_and_elements(graph).status(); }

}  // namespace zeropoint::toolchain
