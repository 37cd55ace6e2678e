#include "zeropoint/toolchain/training_executor.h"

#include <fmt/format.h>

#include "float/plan_cache.h"

namespace zeropoint::toolchain {

struct TrainingExecutor::State {
  State(Graph original, std::unique_ptr<Network> made)
      : graph(std::move(original)), network(std::move(made)), plans(*network) {}

  Graph graph;
  std::vector<Parameter> parameters;
  std::unique_ptr<Network> network;
  PlanCache plans;
  Plan* last = nullptr;  // of the last forward run
};

TrainingExecutor::TrainingExecutor(std::unique_ptr<State> state) : state_(std::move(state)) {}
TrainingExecutor::TrainingExecutor(TrainingExecutor&&) noexcept = default;
TrainingExecutor& TrainingExecutor::operator=(TrainingExecutor&&) noexcept = default;
TrainingExecutor::~TrainingExecutor() = default;

Result<TrainingExecutor> TrainingExecutor::create(const Graph& graph, TrainingOptions options) {
  return guarded("training", [&]() -> Result<TrainingExecutor> {
    ZP_ASSIGN_OR_RETURN(std::unique_ptr<Network> network, make_network(graph, options.threads));
    network->training = true;
    auto state = std::make_unique<State>(graph, std::move(network));
    for (ValueId id : trainable_values(graph)) {
      const Value& value = graph.value(id);
      state->parameters.push_back(
          {value.name, id, *value.constant, Tensor(ElementType::kFloat32, value.constant->shape())});
    }
    if (state->parameters.empty()) {
      return Status::invalid_argument("the graph has no float32 weights to train");
    }
    for (Parameter& parameter : state->parameters) {
      state->network->parameter_of[static_cast<std::size_t>(parameter.value)] = &parameter;
    }
    ThreadScope threads(state->network->threads);
    ZP_RETURN_IF_ERROR(fold_constant_nodes(*state->network));
    return TrainingExecutor(std::move(state));
  });
}

Result<std::vector<Tensor>> TrainingExecutor::forward(std::span<const Tensor> inputs) {
  return guarded("training", [&]() -> Result<std::vector<Tensor>> {
    ThreadScope threads(state_->network->threads);
    state_->last = nullptr;
    ZP_ASSIGN_OR_RETURN(Plan * plan, state_->plans.plan_for(inputs, false));
    if (plan == nullptr) {
      return Status::unsupported("a shape in the graph depends on values, and so it cannot be trained here");
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, plan->run(inputs, nullptr));
    state_->last = plan;
    return outputs;
  });
}

Result<Tensor> TrainingExecutor::forward(const Tensor& input) {
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, forward({&input, 1}));
  if (outputs.size() != 1) {
    return Status::invalid_argument(
        fmt::format("the graph has {} outputs; this call is for one", outputs.size()));
  }
  return std::move(outputs[0]);
}

Status TrainingExecutor::backward(std::span<const Tensor> output_gradients) {
  return guarded("training", [&]() -> Status {
    if (state_->last == nullptr) {
      return Status::invalid_argument("backward() needs a forward() before it");
    }
    ZP_RETURN_IF_ERROR(state_->last->check_output_gradients(output_gradients));
    ThreadScope threads(state_->network->threads);
    return state_->last->run_backward(output_gradients);
  });
}

Status TrainingExecutor::backward(const Tensor& output_gradient) { return backward({&output_gradient, 1}); }

std::span<Parameter> TrainingExecutor::parameters() const { return state_->parameters; }

Graph TrainingExecutor::trained_graph() const {
  Graph graph = state_->graph;
  for (const Parameter& parameter : state_->parameters) {
    graph.value(parameter.value).constant = std::make_shared<const Tensor>(parameter.data);
  }
  return graph;
}

}  // namespace zeropoint::toolchain
