#include "zeropoint/toolchain/float_executor.h"

#include "float/plan_cache.h"
#include "float/run_nodes.h"

namespace zeropoint::toolchain {

struct FloatExecutor::State {
  explicit State(std::unique_ptr<Network> made) : network(std::move(made)), plans(*network) {}

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, const ValueObserver* observer) {
    return guarded("float executor", [&]() -> Result<std::vector<Tensor>> {
      ThreadScope threads(network->threads);
      ZP_ASSIGN_OR_RETURN(Plan * plan, plans.plan_for(inputs, observer != nullptr));
      return plan != nullptr ? plan->run(inputs, observer) : run_nodes(*network, inputs, observer);
    });
  }

  std::unique_ptr<Network> network;
  PlanCache plans;
};

FloatExecutor::FloatExecutor(std::unique_ptr<State> state) : state_(std::move(state)) {}
FloatExecutor::FloatExecutor(FloatExecutor&&) noexcept = default;
FloatExecutor& FloatExecutor::operator=(FloatExecutor&&) noexcept = default;
FloatExecutor::~FloatExecutor() = default;

Result<FloatExecutor> FloatExecutor::create(const Graph& graph, FloatOptions options) {
  return guarded("float executor", [&]() -> Result<FloatExecutor> {
    ZP_ASSIGN_OR_RETURN(std::unique_ptr<Network> network, make_network(graph, options.threads));
    ThreadScope threads(network->threads);
    ZP_RETURN_IF_ERROR(fold_constant_nodes(*network));
    return FloatExecutor(std::make_unique<State>(std::move(network)));
  });
}

Result<FloatExecutor> FloatExecutor::another() const {
  return guarded("float executor", [&]() -> Result<FloatExecutor> {
    auto network = std::make_unique<Network>();
    network->graph = state_->network->graph;
    network->parameter_of = state_->network->parameter_of;
    network->threads = state_->network->threads;
    network->constants = state_->network->constants;
    return FloatExecutor(std::make_unique<State>(std::move(network)));
  });
}

Result<std::vector<Tensor>> FloatExecutor::run(std::span<const Tensor> inputs) {
  return state_->run(inputs, nullptr);
}

Result<std::vector<Tensor>> FloatExecutor::run(std::span<const Tensor> inputs,
                                               const ValueObserver& observer) {
  return state_->run(inputs, &observer);
}

Result<Tensor> FloatExecutor::run(const Tensor& input) {
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, state_->run({&input, 1}, nullptr));
  if (outputs.size() != 1) {
    return Status::invalid_argument("the graph has " + std::to_string(outputs.size()) +
                                    " outputs; this call is for one");
  }
  return std::move(outputs[0]);
}

}  // namespace zeropoint::toolchain
