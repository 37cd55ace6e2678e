#include "float/plan_cache.h"

#include <fmt/format.h>

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kPlansKept = 4;

Status check_input(const Value& value, const Tensor& input) {
  if (input.type() != value.type) {
    return Status::invalid_argument(fmt::format("input '{}' is {}; {} is needed", value.name,
                                                zeropoint::name_of(input.type()),
                                                zeropoint::name_of(value.type)));
  }
  if (!value.dims) {
    return {};
  }
  const Dims& dims = *value.dims;
  bool fits = dims.size() == input.shape().size();
  for (std::size_t i = 0; fits && i < dims.size(); ++i) {
    fits = !dims[i].known() || dims[i].extent == input.shape()[i];
  }
  return fits ? Status()
              : Status::invalid_argument(fmt::format("input '{}' is {}; {} is needed", value.name,
                                                     zeropoint::to_string(input.shape()), to_string(dims)));
}

bool has_shapes(const Plan& plan, std::span<const Tensor> inputs) {
  return std::equal(inputs.begin(), inputs.end(), plan.input_shapes().begin(), plan.input_shapes().end(),
                    [](const Tensor& input, const Shape& shape) { return input.shape() == shape; });
}

}  // namespace

Result<Plan*> PlanCache::plan_for(std::span<const Tensor> inputs, bool observed) {
  const Graph& graph = network_.graph;
  if (inputs.size() != graph.inputs.size()) {
    return Status::invalid_argument(
        fmt::format("{} inputs are given; the graph has {}", inputs.size(), graph.inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ZP_RETURN_IF_ERROR(check_input(graph.value(graph.inputs[i]), inputs[i]));
  }
  auto known = std::find_if(plans_.begin(), plans_.end(), [&](const std::unique_ptr<Plan>& plan) {
    return plan->observed() == observed && has_shapes(*plan, inputs);
  });
  if (known != plans_.end()) {
    std::rotate(plans_.begin(), known, known + 1);
    return plans_.front().get();
  }
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) {
    shapes.push_back(input.shape());
  }
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Plan> plan, Plan::build(network_, shapes, observed));
  if (plan == nullptr) {
    return nullptr;
  }
  if (plans_.size() == kPlansKept) {
    plans_.pop_back();
  }
  plans_.insert(plans_.begin(), std::move(plan));
  return plans_.front().get();
}

}  // namespace zeropoint::toolchain
