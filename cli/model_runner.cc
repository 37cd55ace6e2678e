#include "model_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "progress.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/models.h"

namespace zeropoint::cli {

bool is_quantized(const toolchain::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const toolchain::Node& node) { return node.op == Op::kQuantizeLinear; });
}

std::string float_engine_name(const toolchain::Graph& graph) {
  auto has = [&](Op op) {
    return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                       [&](const toolchain::Node& node) { return node.op == op; });
  };
  if (is_quantized(graph)) {
    return "float32, quantization simulated";
  }
  if (has(Op::kMatMulInteger) || has(Op::kConvInteger)) {
    return "float32, but for products of integers; --engine integer runs its program";
  }
  return has(Op::kDequantizeLinear) ? "float32, from dequantized weights; --engine integer runs its program"
                                    : "float32";
}

Result<IntegerEngine> integer_engine(const toolchain::Graph& graph, RequantizeMode mode) {
  ZP_ASSIGN_OR_RETURN(toolchain::Lowering lowering, toolchain::lower(graph, mode));
  std::string name = mode == RequantizeMode::kFloat ? "integers, float multiplier" : "integers, fixed point";
  if (!lowering.floats.empty()) {
    name += fmt::format("; {} of {} nodes in float32", lowering.floats.size(),
                        lowering.floats.size() + lowering.integer_nodes);
  }
  return IntegerEngine{std::move(name), std::make_shared<const Program>(std::move(lowering.program))};
}

Result<Runner> make_runner(const toolchain::Graph& graph, Engine engine, RequantizeMode mode, int threads) {
  bool quantized = is_quantized(graph);
  if (engine == Engine::kInteger || (engine == Engine::kAuto && quantized)) {
    ZP_ASSIGN_OR_RETURN(IntegerEngine integers, integer_engine(graph, mode));
    return Runner{std::move(integers.name),
                  toolchain::integer_model(std::move(integers.program), threads,
                                           toolchain::fixed_batch(graph).value_or(0))};
  }
  ZP_ASSIGN_OR_RETURN(toolchain::Model model, toolchain::float_model(graph, threads));
  return Runner{float_engine_name(graph), std::move(model)};
}

Result<toolchain::Evaluation> evaluate_with_progress(
    const Runner& runner, std::span<const std::shared_ptr<const toolchain::Dataset>> data,
    const toolchain::EvaluationOptions& options, const std::string& label) {
  Progress progress(label, "samples");
  std::int64_t done = 0;
  toolchain::Model counting = [&](std::span<const Tensor> inputs) {
    Result<Tensor> scores = runner.model(inputs);
    progress.update(done += inputs[0].dim(0), data[0]->size());
    return scores;
  };
  return toolchain::evaluate(counting, data, options);
}

}  // namespace zeropoint::cli
