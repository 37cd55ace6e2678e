#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "model_runner.h"
#include "zeropoint/session.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using RunAll = std::function<Result<std::vector<Tensor>>(std::span<const Tensor> inputs)>;

/// How many rows of each input a run takes, none where the graph leaves it open.
std::vector<std::optional<std::int64_t>> rows_per_run(const Graph& graph) {
  std::vector<std::optional<std::int64_t>> rows;
  for (toolchain::ValueId id : graph.inputs) {
    const std::optional<toolchain::Dims>& dims = graph.value(id).dims;
    bool known = dims && !dims->empty() && dims->front().known() && dims->front().extent > 0;
    rows.push_back(known ? std::optional(dims->front().extent) : std::nullopt);
  }
  return rows;
}

/// The number of runs that the inputs hold, where every one of them holds that many; else 1.
std::int64_t runs_in(std::span<const Tensor> inputs, const std::vector<std::optional<std::int64_t>>& rows) {
  std::int64_t runs = 0;
  for (std::size_t i = 0; i < inputs.size() && i < rows.size(); ++i) {
    if (!rows[i] || inputs[i].rank() == 0 || inputs[i].dim(0) % *rows[i] != 0) {
      return 1;
    }
    std::int64_t own = inputs[i].dim(0) / *rows[i];
    if (runs != 0 && own != runs) {
      return 1;
    }
    runs = own;
  }
  return runs;
}

Tensor rows_of(const Tensor& tensor, std::int64_t first, std::int64_t count) {
  Shape shape = tensor.shape();
  shape[0] = count;
  Tensor part(tensor.type(), std::move(shape));
  std::size_t row = tensor.byte_size() / static_cast<std::size_t>(tensor.dim(0));
  std::copy_n(tensor.bytes() + static_cast<std::size_t>(first) * row, part.byte_size(), part.bytes());
  return part;
}

Result<Tensor> joined(const std::vector<Tensor>& parts) {
  Shape shape = parts[0].shape();
  if (shape.empty()) {
    return Status::unsupported("an output is a single number per run; run the samples one by one");
  }
  shape[0] = 0;
  for (const Tensor& part : parts) {
    bool same = part.rank() == parts[0].rank() &&
                std::equal(part.shape().begin() + 1, part.shape().end(), parts[0].shape().begin() + 1);
    if (!same) {
      return Status::unsupported(
          fmt::format("an output is {} in one run and {} in another; run the samples one by one",
                      to_string(parts[0].shape()), to_string(part.shape())));
    }
    shape[0] += part.dim(0);
  }
  Tensor whole(parts[0].type(), std::move(shape));
  std::byte* to = whole.bytes();
  for (const Tensor& part : parts) {
    to = std::copy_n(part.bytes(), part.byte_size(), to);
  }
  return whole;
}

/// `run`, once for each part of the inputs that the graph takes.
RunAll in_runs(std::vector<std::optional<std::int64_t>> rows, RunAll run) {
  return [rows = std::move(rows),
          run = std::move(run)](std::span<const Tensor> inputs) -> Result<std::vector<Tensor>> {
    std::int64_t runs = runs_in(inputs, rows);
    if (runs <= 1) {
      return run(inputs);
    }
    std::vector<std::vector<Tensor>> parts;  // [output][run]
    for (std::int64_t i = 0; i < runs; ++i) {
      std::vector<Tensor> some;
      for (std::size_t input = 0; input < inputs.size(); ++input) {
        some.push_back(rows_of(inputs[input], i * *rows[input], *rows[input]));
      }
      ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, run(some));
      parts.resize(outputs.size());
      for (std::size_t output = 0; output < outputs.size(); ++output) {
        parts[output].push_back(std::move(outputs[output]));
      }
    }
    std::vector<Tensor> outputs;
    for (const std::vector<Tensor>& part : parts) {
      ZP_ASSIGN_OR_RETURN(Tensor whole, joined(part));
      outputs.push_back(std::move(whole));
    }
    return outputs;
  };
}

}  // namespace

Result<Session> session_of(const Graph& graph, IntegerEngine engine, int threads) {
  ZP_ASSIGN_OR_RETURN(zeropoint::Session session,
                      zeropoint::Session::create(std::move(engine.program), {.threads = threads}));
  auto shared = std::make_shared<zeropoint::Session>(std::move(session));
  return Session{
      std::move(engine.name),
      in_runs(rows_per_run(graph), [shared](std::span<const Tensor> inputs) { return shared->run(inputs); })};
}

Result<Session> make_session(const Graph& graph, Engine engine, RequantizeMode mode, int threads) {
  bool quantized = is_quantized(graph);
  if (engine == Engine::kInteger || (engine == Engine::kAuto && quantized)) {
    ZP_ASSIGN_OR_RETURN(IntegerEngine integers, integer_engine(graph, mode));
    return session_of(graph, std::move(integers), threads);
  }
  ZP_ASSIGN_OR_RETURN(toolchain::FloatExecutor executor, toolchain::FloatExecutor::create(graph, {threads}));
  auto shared = std::make_shared<toolchain::FloatExecutor>(std::move(executor));
  return Session{
      float_engine_name(graph),
      in_runs(rows_per_run(graph), [shared](std::span<const Tensor> inputs) { return shared->run(inputs); })};
}

}  // namespace zeropoint::cli
