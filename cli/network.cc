#include "network.h"

#include <fmt/format.h>

#include <algorithm>

#include "outputs.h"
#include "zeropoint/program_file.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/models.h"
#include "zeropoint/toolchain/program_summary.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dim;
using toolchain::Graph;
using toolchain::ValueId;

std::optional<toolchain::Dims> dims_of(const TensorInfo& info) {
  if (!info.shape) {
    return std::nullopt;
  }
  toolchain::Dims dims;
  for (std::int64_t extent : *info.shape) {
    std::string symbol = dims.empty() ? "N" : fmt::format("d{}", dims.size());
    dims.push_back(extent == kOpenExtent ? Dim(symbol) : Dim(extent));
  }
  return dims;
}

/// The inputs and outputs of a program as a graph without nodes.
Graph interface_of(const Program& program) {
  Graph graph;
  graph.name = program.name;
  auto value = [&](TensorId id) {
    const TensorInfo& info = program.tensor(id);
    ValueId known = graph.find(info.name);
    if (known == toolchain::kNoValue) {
      known = graph.add_value(info.name, info.type);
      graph.value(known).dims = dims_of(info);
    }
    return known;
  };
  for (TensorId id : program.inputs) {
    graph.inputs.push_back(value(id));
  }
  for (TensorId id : program.outputs) {
    graph.outputs.push_back(value(id));
  }
  return graph;
}

Status check_choices(Engine engine, RequantizeMode mode) {
  if (engine == Engine::kFloat) {
    return Status::invalid_argument(
        "a compiled program has no float32 form; give the model it was compiled from");
  }
  return mode == RequantizeMode::kFloat
             ? Status()
             : Status::invalid_argument("how a program requantizes was decided when it was compiled");
}

}  // namespace

std::string engine_name(const Program& program) {
  auto floats = std::count_if(program.operations.begin(), program.operations.end(),
                              [&](const Operation& one) { return toolchain::is_in_float(program, one); });
  return floats == 0
             ? "program in integers"
             : fmt::format("program; {} of {} operations in float32", floats, program.operations.size());
}

Result<Network> load_network(const ModelOptions& options) {
  if (!is_program(options.path)) {
    ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options));
    return Network{std::move(graph)};
  }
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Program> program, load_program(options.path));
  Graph graph = interface_of(*program);
  return Network{std::move(graph), std::move(program)};
}

Result<Runner> make_runner(const Network& network, Engine engine, RequantizeMode mode, int threads) {
  if (network.program == nullptr) {
    return make_runner(network.graph, engine, mode, threads);
  }
  ZP_RETURN_IF_ERROR(check_choices(engine, mode));
  return Runner{
      engine_name(*network.program),
      toolchain::integer_model(network.program, threads, toolchain::fixed_batch(network.graph).value_or(0))};
}

Result<Session> make_session(const Network& network, Engine engine, RequantizeMode mode, int threads) {
  if (network.program == nullptr) {
    return make_session(network.graph, engine, mode, threads);
  }
  ZP_RETURN_IF_ERROR(check_choices(engine, mode));
  return session_of(network.graph, {engine_name(*network.program), network.program}, threads);
}

Status select_output(Network& network, const std::string& name) {
  ZP_RETURN_IF_ERROR(select_output(network.graph, name));
  if (network.program != nullptr && network.program->outputs.size() > 1) {
    const std::string& chosen = network.graph.value(network.graph.outputs[0]).name;
    auto program = std::make_shared<Program>(*network.program);
    std::erase_if(program->outputs, [&](TensorId id) { return program->tensor(id).name != chosen; });
    network.program = std::move(program);
  }
  return {};
}

bool ends_in_softmax(const Network& network) {
  if (network.program == nullptr) {
    return ends_in_softmax(network.graph);
  }
  const Program& program = *network.program;
  TensorId wanted = program.outputs.front();
  for (auto operation = program.operations.rbegin(); operation != program.operations.rend(); ++operation) {
    if (outputs_of(*operation) != std::vector{wanted}) {
      continue;
    }
    if (const auto* softmax = std::get_if<SoftmaxOp>(&*operation)) {
      return !softmax->logarithm;
    }
    const auto* plain = std::get_if<EvaluateOp>(&*operation);
    if (plain != nullptr && plain->op == Op::kSoftmax) {
      return true;
    }
    bool moves = plain != nullptr &&
                 (plain->op == Op::kReshape || plain->op == Op::kFlatten || plain->op == Op::kSqueeze ||
                  plain->op == Op::kUnsqueeze || plain->op == Op::kIdentity);
    if (!moves && !std::holds_alternative<DequantizeOp>(*operation) &&
        !std::holds_alternative<QuantizeOp>(*operation)) {
      return false;
    }
    wanted = inputs_of(*operation)[0];
  }
  return false;
}

}  // namespace zeropoint::cli
