#include "import/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

// Conditions, trip counts and what they are computed from are small. All of them together are bounded too,
// since loops that are written out make them again and again.
constexpr std::size_t kLargestKnown = 64 * 1024;
constexpr std::size_t kMostKnown = std::size_t{256} << 20;

std::size_t bytes_of(const Attribute& attribute) {
  struct Bytes {
    std::size_t operator()(const std::string& text) const { return text.size(); }
    std::size_t operator()(const std::vector<std::int64_t>& numbers) const { return numbers.size() * 8; }
    std::size_t operator()(const std::vector<float>& numbers) const { return numbers.size() * 4; }
    std::size_t operator()(const std::vector<std::string>& texts) const {
      std::size_t sum = texts.size() * sizeof(std::string);
      for (const std::string& text : texts) {
        sum += text.size();
      }
      return sum;
    }
    // Numbers, and tensors that are shared.
    std::size_t operator()(std::int64_t /*number*/) const { return 0; }
    std::size_t operator()(float /*number*/) const { return 0; }
    std::size_t operator()(const std::shared_ptr<const Tensor>& /*tensor*/) const { return 0; }
  };
  return sizeof(Attribute) + std::visit(Bytes(), attribute);
}

std::size_t bytes_of(const Node& node) {
  std::size_t sum =
      sizeof(Node) + node.name.size() + (node.inputs.size() + node.outputs.size()) * sizeof(ValueId);
  for (const auto& [name, attribute] : node.attributes) {
    sum += sizeof(std::string) + name.size() + bytes_of(attribute);
  }
  return sum;
}

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
  charge_shape(id);
  graph_.inputs.push_back(id);
  return id;
}

ValueId GraphBuilder::add_constant(const std::string& name, Tensor tensor) {
  charge(tensor.byte_size());
  return add_constant(name, std::make_shared<const Tensor>(std::move(tensor)));
}

ValueId GraphBuilder::add_constant(const std::string& name, std::shared_ptr<const Tensor> tensor) {
  ValueId id = add_value(name);
  Value& value = graph_.value(id);
  value.type = tensor->type();
  value.dims = dims_of(tensor->shape());
  elements_[static_cast<std::size_t>(id)] = elements_of(*tensor);
  value.constant = std::move(tensor);
  charge_shape(id);
  return id;
}

ValueId GraphBuilder::add_value(const std::string& name) {
  std::string own = unused(bytes_ > kMostGraphBytes ? "" : name);
  names_.emplace(own, 2);
  charge(sizeof(Value) + 2 * (sizeof(std::string) + own.size()));
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
  if (node.outputs == std::vector{kNoValue}) {
    return {};  // it makes nothing that anybody could read
  }
  if (evaluate_constants_) {
    evaluate_node(node);
  }
  charge(bytes_of(node));
  for (ValueId output : node.outputs) {
    if (output != kNoValue) {
      charge_shape(output);
    }
  }
  ZP_RETURN_IF_ERROR(check_size().at(describe(node)));
  graph_.nodes.push_back(std::move(node));
  return {};
}

Result<ValueId> GraphBuilder::add_node(Op op, const std::string& name, std::vector<ValueId> inputs,
                                       Attributes attributes) {
  ValueId output = add_value(name);
  ZP_RETURN_IF_ERROR(add_node({op, name, std::move(inputs), {output}, std::move(attributes)}));
  return output;
}

void GraphBuilder::charge_shape(ValueId id) {
  for (const Dim& dim : graph_.value(id).dims.value_or(Dims())) {
    charge(sizeof(Dim) + dim.symbol.size());
  }
  const Elements& elements = elements_[static_cast<std::size_t>(id)];
  if (elements == nullptr || elements.use_count() > 1) {
    return;
  }
  for (const SymbolicInt& element : *elements) {
    const auto* symbol = std::get_if<std::string>(&element);
    charge(sizeof(SymbolicInt) + (symbol == nullptr ? 0 : symbol->size()));
  }
}

Status GraphBuilder::check_size() const {
  return bytes_ <= kMostGraphBytes
             ? Status()
             : Status::resource_exhausted(fmt::format(
                   "with functions and loops written out the graph takes more than {} MB beside its weights; "
                   "export it with fewer rounds or shorter names",
                   kMostGraphBytes >> 20));
}

void GraphBuilder::evaluate_node(const Node& node) {
  std::vector<const Tensor*> inputs;
  for (ValueId input : node.inputs) {
    inputs.push_back(input == kNoValue ? nullptr : known(input));
    if (input != kNoValue && inputs.back() == nullptr) {
      keep_elements(node.outputs[0]);
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

void GraphBuilder::keep_elements(ValueId id) {
  if (id == kNoValue) {
    return;
  }
  auto at = static_cast<std::size_t>(id);
  if (std::optional<Tensor> tensor = tensor_of(elements_[at], graph_.values[at]); tensor) {
    computed_[at] = std::make_shared<const Tensor>(*std::move(tensor));
  }
}

const Tensor* GraphBuilder::known(ValueId id) const {
  if (id == kNoValue) {
    return nullptr;
  }
  const Tensor* constant = graph_.value(id).constant.get();
  return constant != nullptr ? constant : computed_[static_cast<std::size_t>(id)].get();
}

}  // namespace zeropoint::toolchain
