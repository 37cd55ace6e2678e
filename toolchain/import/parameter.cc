#include "zeropoint/toolchain/parameter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "zeropoint/toolchain/to_float32.h"

namespace zeropoint::toolchain {
namespace {

bool contains(const std::vector<ValueId>& values, ValueId id) {
  return std::find(values.begin(), values.end(), id) != values.end();
}

std::string network_name(const Graph& graph) { return graph.name.empty() ? "the network" : graph.name; }

/// Every missing and every unexpected name at once: together they usually show what was meant.
Status check_names(const Graph& graph, const std::vector<ValueId>& values, const StateDict& tensors) {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  for (ValueId id : values) {
    if (tensors.find(graph.value(id).name) == nullptr) {
      missing.push_back(graph.value(id).name);
    }
  }
  for (const auto& [name, tensor] : tensors.tensors) {
    if (!contains(values, graph.find(name))) {
      unexpected.push_back(name);
    }
  }
  if (missing.empty() && unexpected.empty()) {
    return {};
  }
  std::string message;
  if (!missing.empty()) {
    message = fmt::format("{} needs {}, missing here", network_name(graph), fmt::join(missing, ", "));
  }
  if (!unexpected.empty()) {
    message += fmt::format("{}{} has no {}", message.empty() ? "" : "; ", network_name(graph),
                           fmt::join(unexpected, ", "));
  }
  return Status::invalid_argument(std::move(message));
}

Result<Tensor> checked_parameter(const Graph& graph, const Value& value, const Tensor& tensor) {
  if (tensor.shape() != value.constant->shape()) {
    return Status::invalid_argument(fmt::format("{} is {}; {} needs {}", value.name,
                                                zeropoint::to_string(tensor.shape()), network_name(graph),
                                                zeropoint::to_string(value.constant->shape())));
  }
  Result<Tensor> converted = to_float32(tensor);
  ZP_RETURN_IF_ERROR(converted.status().at(value.name));
  std::span<const float> elements = converted->data<float>();
  auto bad = std::find_if(elements.begin(), elements.end(), [](float x) { return !std::isfinite(x); });
  if (bad != elements.end()) {
    return Status::invalid_argument(fmt::format("{} holds {} at element {}; weights must be finite numbers",
                                                value.name, *bad, bad - elements.begin()));
  }
  return converted;
}

}  // namespace

std::vector<ValueId> trainable_values(const Graph& graph) {
  std::vector<ValueId> values;
  for (const Node& node : graph.nodes) {
    if (node.op != Op::kConv && node.op != Op::kGemm) {
      continue;
    }
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const Tensor* constant = graph.constant(node, i);
      if (constant != nullptr && constant->type() == ElementType::kFloat32 &&
          !contains(values, node.inputs[i])) {
        values.push_back(node.inputs[i]);
      }
    }
  }
  return values;
}

StateDict parameters_of(const Graph& graph) {
  StateDict tensors;
  for (ValueId id : trainable_values(graph)) {
    tensors.tensors.emplace_back(graph.value(id).name, *graph.value(id).constant);
  }
  return tensors;
}

Status load_parameters(Graph& graph, const StateDict& tensors) {
  std::vector<ValueId> values = trainable_values(graph);
  ZP_RETURN_IF_ERROR(check_names(graph, values, tensors));
  std::vector<std::shared_ptr<const Tensor>> loaded;
  for (ValueId id : values) {
    const Value& value = graph.value(id);
    ZP_ASSIGN_OR_RETURN(Tensor tensor, checked_parameter(graph, value, *tensors.find(value.name)));
    loaded.push_back(std::make_shared<const Tensor>(std::move(tensor)));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    graph.value(values[i]).constant = std::move(loaded[i]);
  }
  return {};
}

}  // namespace zeropoint::toolchain
