#include "import/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

// Conditions, trip counts and what they are computed from are small. All of them together are bounded too,
// since loops that are written out make them again and again.
constexpr std::size_t kLargestKnown = 64 * 1024;
constexpr std::size_t kMostKnown = std::size_t{256} << 20;

}  // namespace

std::string GraphBuilder::unused(const std::string& name) {
  const std::string base = name.empty() ? "tensor" : name;
  std::string candidate = base;
  for (auto taken = names_.find(base); names_.count(candidate) != 0; ++taken->second) {
    candidate = fmt::format("{}_{}", base, taken->second);
  }
  return candidate;
}

ValueId GraphBuilder::add_input(std::string name, ElementType type, std::optional<Dims> dims) {
  ValueId id = add_value(name);
  graph_.value(id).type = type;
  graph_.value(id).dims = std::move(dims);
  graph_.inputs.push_back(id);
  return id;
}

ValueId GraphBuilder::add_constant(const std::string& name, Tensor tensor) {
  return add_constant(name, std::make_shared<const Tensor>(std::move(tensor)));
}

ValueId GraphBuilder::add_constant(const std::string& name, std::shared_ptr<const Tensor> tensor) {
  ValueId id = add_value(name);
  Value& value = graph_.value(id);
  value.type = tensor->type();
  value.dims = dims_of(tensor->shape());
  elements_[static_cast<std::size_t>(id)] = elements_of(*tensor);
  value.constant = std::move(tensor);
  return id;
}

ValueId GraphBuilder::add_value(const std::string& name) {
  std::string own = unused(name);
  names_.emplace(own, 2);
  ValueId id = graph_.add_value(std::move(own));
  elements_.resize(graph_.values.size());
  computed_.resize(graph_.values.size());
  return id;
}

Status GraphBuilder::add_node(Node node) {
  // An output at the end that nobody reads is none.
  while (node.outputs.size() > 1 && node.outputs.back() == kNoValue) {
    node.outputs.pop_back();
  }
  ZP_RETURN_IF_ERROR(verify_form(node));
  ZP_RETURN_IF_ERROR(infer_node(graph_, node, elements_));
  if (evaluate_constants_) {
    evaluate_node(node);
  }
  graph_.nodes.push_back(std::move(node));
  return {};
}

Result<ValueId> GraphBuilder::add_node(Op op, const std::string& name, std::vector<ValueId> inputs,
                                       Attributes attributes) {
  ValueId output = add_value(name);
  ZP_RETURN_IF_ERROR(add_node({op, name, std::move(inputs), {output}, std::move(attributes)}));
  return output;
}

void GraphBuilder::evaluate_node(const Node& node) {
  std::vector<const Tensor*> inputs;
  for (ValueId input : node.inputs) {
    inputs.push_back(input == kNoValue ? nullptr : known(input));
    if (input != kNoValue && inputs.back() == nullptr) {
      keep_elements(node);
      return;
    }
  }
  if (computed_bytes_ > kMostKnown) {
    return;
  }
  Result<std::vector<Tensor>> outputs =
      evaluate(OperatorCall(node.op, node.attributes, inputs, node.outputs.size(), kLargestKnown));
  for (std::size_t i = 0; outputs.ok() && i < std::min(outputs->size(), node.outputs.size()); ++i) {
    if (node.outputs[i] != kNoValue) {
      computed_bytes_ += (*outputs)[i].byte_size();
      computed_[static_cast<std::size_t>(node.outputs[i])] =
          std::make_shared<const Tensor>(std::move((*outputs)[i]));
    }
  }
}

void GraphBuilder::keep_elements(const Node& node) {
  ValueId output = node.outputs[0];
  const Elements& elements = elements_[static_cast<std::size_t>(output)];
  const Value& value = graph_.value(output);
  if (!elements || !value.dims || value.type != ElementType::kInt64) {
    return;
  }
  std::vector<std::int64_t> numbers;
  for (const SymbolicInt& element : *elements) {
    const auto* number = std::get_if<std::int64_t>(&element);
    if (number == nullptr) {
      return;
    }
    numbers.push_back(*number);
  }
  Shape shape = value.dims->empty() ? Shape{} : Shape{static_cast<std::int64_t>(numbers.size())};
  computed_[static_cast<std::size_t>(output)] =
      std::make_shared<const Tensor>(Tensor::of<std::int64_t>(shape, numbers));
}

const Tensor* GraphBuilder::known(ValueId id) const {
  if (id == kNoValue) {
    return nullptr;
  }
  const Tensor* constant = graph_.value(id).constant.get();
  return constant != nullptr ? constant : computed_[static_cast<std::size_t>(id)].get();
}

}  // namespace zeropoint::toolchain
