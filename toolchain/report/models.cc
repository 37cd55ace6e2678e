#include "zeropoint/toolchain/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "parallel/split_batch.h"
#include "parallel/team.h"
#include "zeropoint/session.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

Result<Tensor> the_only(std::vector<Tensor> outputs) {
  if (outputs.size() != 1) {
    return Status::unsupported(fmt::format("evaluation needs one output; there are {}", outputs.size()));
  }
  return std::move(outputs[0]);
}

/// Each part of a batch computed by the model of one thread.
Model parted(std::vector<Model> models) {
  struct Parted {
    std::vector<Model> models;
    Team team;
    explicit Parted(std::vector<Model> made)
        : models(std::move(made)), team(static_cast<int>(models.size())) {}
  };
  auto parts = std::make_shared<Parted>(std::move(models));
  return [parts](std::span<const Tensor> inputs) {
    return map_in_parts(
        parts->team, inputs, "evaluation",
        [&](std::size_t part, std::span<const Tensor> some) { return parts->models[part](some); });
  };
}

/// `count` samples of each batch from `begin` on, filled up with its last one where there are not so many.
std::vector<Tensor> filled_slices(std::span<const Tensor> batches, std::int64_t begin, std::int64_t count) {
  std::vector<Tensor> slices;
  for (const Tensor& batch : batches) {
    std::int64_t end = std::min(begin + count, batch.dim(0));
    std::vector<Tensor> parts{slice_batch(batch, {begin, end})};
    parts.resize(1 + static_cast<std::size_t>(begin + count - end), slice_batch(batch, {end - 1, end}));
    slices.push_back(join_batches(parts));
  }
  return slices;
}

/// `model`, which takes `size` samples at once and no other number, for any number of them. 0: it takes any.
Model in_batches_of(std::int64_t size, Model model) {
  if (size == 0) {
    return model;
  }
  return [size, model = std::move(model)](std::span<const Tensor> inputs) -> Result<Tensor> {
    ZP_ASSIGN_OR_RETURN(std::int64_t samples, samples_of(inputs));
    std::vector<Tensor> outputs;
    for (std::int64_t begin = 0; begin < samples; begin += size) {
      ZP_ASSIGN_OR_RETURN(Tensor output, model(filled_slices(inputs, begin, size)));
      if (output.rank() == 0 || output.dim(0) != size) {
        return Status::unsupported(
            fmt::format("the model gives {} for batches of {} samples: not one result for each",
                        zeropoint::to_string(output.shape()), size));
      }
      outputs.push_back(slice_batch(output, {0, std::min(size, samples - begin)}));
    }
    return outputs.empty() ? model(inputs) : join_batches(outputs);
  };
}

}  // namespace

Model integer_model(std::shared_ptr<const Program> program, int threads, std::int64_t batch) {
  std::vector<Model> models;
  for (int i = 0; i < threads_or_all(threads); ++i) {
    auto session = std::make_shared<std::optional<Session>>();
    models.push_back(
        in_batches_of(batch, [program, session](std::span<const Tensor> inputs) -> Result<Tensor> {
          if (!*session) {
            ZP_ASSIGN_OR_RETURN(Session created, Session::create(program));
            session->emplace(std::move(created));
          }
          ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, (*session)->run(inputs));
          return the_only(std::move(outputs));
        }));
  }
  return parted(std::move(models));
}

Result<Model> float_model(const Graph& graph, int threads) {
  std::vector<Model> models;
  std::shared_ptr<FloatExecutor> last;
  for (int i = 0; i < threads_or_all(threads); ++i) {
    ZP_ASSIGN_OR_RETURN(FloatExecutor executor,
                        last == nullptr ? FloatExecutor::create(graph, {1}) : last->another());
    last = std::make_shared<FloatExecutor>(std::move(executor));
    models.push_back(in_batches_of(fixed_batch(graph).value_or(0),
                                   [own = last](std::span<const Tensor> inputs) -> Result<Tensor> {
                                     ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, own->run(inputs));
                                     return the_only(std::move(outputs));
                                   }));
  }
  return parted(std::move(models));
}

}  // namespace zeropoint::toolchain
