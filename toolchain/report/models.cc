#include "zeropoint/toolchain/models.h"

#include <algorithm>
#include <vector>

#include "io/catch_exceptions.h"
#include "parallel/split_batch.h"
#include "parallel/team.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

/// A batch cut into parts, each computed by the model of one thread.
class PartedModel {
 public:
  explicit PartedModel(std::vector<Model> models)
      : models_(std::move(models)), team_(static_cast<int>(models_.size())) {}

  Result<Tensor> run(const Tensor& inputs) {
    std::int64_t samples = inputs.rank() == 0 ? 0 : inputs.dim(0);
    auto parts = static_cast<int>(std::clamp<std::int64_t>(samples, 1, team_.size()));
    if (parts == 1) {
      return models_[0](inputs);
    }
    std::vector<Status> failures(static_cast<std::size_t>(parts));
    std::vector<Tensor> outputs(static_cast<std::size_t>(parts));
    team_.run(parts, [&](int part) {
      auto i = static_cast<std::size_t>(part);
      failures[i] = catch_exceptions("evaluation", [&]() -> Status {
        ZP_ASSIGN_OR_RETURN(outputs[i], models_[i](slice_batch(inputs, part_of(samples, part, parts))));
        return {};
      });
    });
    for (const Status& failure : failures) {
      ZP_RETURN_IF_ERROR(failure);
    }
    return join_batches(outputs);
  }

 private:
  std::vector<Model> models_;
  Team team_;
};

Model parted(std::vector<Model> models) {
  auto model = std::make_shared<PartedModel>(std::move(models));
  return [model](const Tensor& inputs) { return model->run(inputs); };
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
