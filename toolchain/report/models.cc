#include "zeropoint/toolchain/models.h"

#include <vector>

#include "parallel/split_batch.h"
#include "parallel/team.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

/// Each part of a batch computed by the model of one thread.
Model parted(std::vector<Model> models) {
  struct Parted {
    std::vector<Model> models;
    Team team;
    explicit Parted(std::vector<Model> made)
        : models(std::move(made)), team(static_cast<int>(models.size())) {}
  };
  auto parts = std::make_shared<Parted>(std::move(models));
  return [parts](const Tensor& inputs) {
    return map_in_parts(parts->team, inputs, "evaluation",
                        [&](std::size_t part, const Tensor& some) { return parts->models[part](some); });
  };
}

}  // namespace

Model integer_model(std::shared_ptr<const Program> program, int threads) {
  Model one = [program = std::move(program)](const Tensor& inputs) -> Result<Tensor> {
    if (program->inputs.size() != 1 || program->outputs.size() != 1) {
      return Status::unsupported("evaluation needs a program with one input and one output");
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, run_reference(*program, std::span(&inputs, 1)));
    return std::move(outputs[0]);
  };
  return parted(std::vector<Model>(static_cast<std::size_t>(threads_or_all(threads)), one));
}

Result<Model> float_model(const Graph& graph, int threads) {
  std::vector<Model> models;
  for (int i = 0; i < threads_or_all(threads); ++i) {
    ZP_ASSIGN_OR_RETURN(FloatExecutor executor, FloatExecutor::create(graph, {1}));
    auto shared = std::make_shared<FloatExecutor>(std::move(executor));
    models.emplace_back([shared](const Tensor& inputs) { return shared->run(inputs); });
  }
  return parted(std::move(models));
}

}  // namespace zeropoint::toolchain
