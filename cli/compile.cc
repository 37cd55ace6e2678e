#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "choice.h"
#include "inputs.h"
#include "model_runner.h"
#include "program_text.h"
#include "verbs.h"
#include "zeropoint/program_file.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::cli {
namespace {

using toolchain::Lowering;

struct Options {
  ModelOptions model;
  std::string output;
  RequantizeMode requantize = RequantizeMode::kFloat;
  bool operations = false;
  bool json = false;
};

/// A float graph becomes fewer, larger operators first; a quantized one is lowered as it stands, since its
/// QuantizeLinear nodes say where each rounding is.
Result<Lowering> compiled(const Options& options) {
  ZP_ASSIGN_OR_RETURN(toolchain::Graph graph, load_model(options.model));
  if (!is_quantized(graph)) {
    ZP_RETURN_IF_ERROR(toolchain::infer_shapes(graph).at(options.model.path));
    ZP_RETURN_IF_ERROR(toolchain::simplify(graph).status().at(options.model.path));
  }
  Result<Lowering> lowering = toolchain::lower(graph, options.requantize);
  return lowering.ok() ? std::move(lowering) : lowering.status().at(options.model.path);
}

void print_json(const Options& options, const Lowering& lowering, std::size_t bytes) {
  nlohmann::ordered_json json{{"model", options.model.path},
                              {"program", options.output},
                              {"bytes", bytes},
                              {"version", kProgramFileVersion},
                              {"integer_nodes", lowering.integer_nodes},
                              {"float_nodes", nlohmann::ordered_json::array()}};
  for (const toolchain::FloatNode& node : lowering.floats) {
    json["float_nodes"].push_back({{"operator", node.op}, {"name", node.node}, {"reason", node.reason}});
  }
  json["operations"] = operations_json(lowering.program);
  fmt::print("{}\n", json.dump(1));
}

void print_text(const Options& options, const Lowering& lowering, std::size_t bytes) {
  const Program& program = lowering.program;
  fmt::print("wrote    {}, {:.1f} KiB\n", options.output, static_cast<double>(bytes) / 1024);
  if (lowering.integer_nodes == 0) {
    fmt::print("program  {} operations in float32: the model is not quantized\n", program.operations.size());
  } else {
    fmt::print("program  {} operations; {} of {} nodes in integers\n", program.operations.size(),
               lowering.integer_nodes, lowering.integer_nodes + lowering.floats.size());
    for (const toolchain::FloatNode& node : lowering.floats) {
      fmt::print("float32  {} '{}': {}\n", node.op, node.node, node.reason);
    }
    print_accumulators(program);
  }
  if (options.operations) {
    fmt::print("\n");
    print_operations(program);
  }
}

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(Lowering lowering, compiled(options));
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> file, serialize(lowering.program));
  ZP_RETURN_IF_ERROR(toolchain::write_file(options.output, file));
  (options.json ? print_json : print_text)(options, lowering, file.size());
  return {};
}

}  // namespace

Action add_compile(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model);
  command.add_option("-o,--output", options->output, "The program to write (.zpm)")->required();
  add_choice<RequantizeMode>(
      command, "--requantize", options->requantize,
      {{"float", RequantizeMode::kFloat}, {"fixed-point", RequantizeMode::kFixedPoint}},
      "How accumulators become integers again");
  command.add_flag("--operations", options->operations,
                   "Also list each operation: what it makes, its weights, the largest sum it can come to");
  command.add_flag("--json", options->json, "Print JSON");
  command.footer(
      "The program runs on every machine, with the same bits: zeropoint run, eval, bench, or libzeropoint.\n"
      "Quantized models (QDQ or QOperator) become integer operations; float models stay in float.\n"
      "Examples:\n"
      "  zeropoint compile lenet.int8.onnx -o lenet.zpm\n"
      "  zeropoint compile resnet.int8.onnx -o resnet.zpm --requantize fixed-point --operations");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
