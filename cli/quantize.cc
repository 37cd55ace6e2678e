#include "zeropoint/toolchain/quantize_network.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "inputs.h"
#include "plan_metadata.h"
#include "progress.h"
#include "recipe_options.h"
#include "samples.h"
#include "verbs.h"
#include "write_options.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/profile.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Graph;
using toolchain::QuantizedNetwork;
using toolchain::QuantPlan;

struct Options {
  ModelOptions model;
  SampleOptions data;
  RecipeOptions recipe;
  std::int64_t samples = 256;
  std::string output;
  WriteOptions write;
  std::string plan_output;
  std::string plan_input;
  bool keep = false;
  bool print_recipe = false;
  bool json = false;
  int threads = 0;
};

/// The samples to calibrate on, and what they say about `graph`.
Result<toolchain::Evidence> gather(const Graph& graph, const Options& options) {
  ZP_ASSIGN_OR_RETURN(std::vector<Samples> inputs,
                      load_inputs(options.data, toolchain::Split::kTrain, graph));
  toolchain::Evidence evidence;
  for (const Samples& samples : inputs) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> some, limited(samples.data, options.samples));
    evidence.data.push_back(std::move(some));
  }
  evidence.calibration.threads = options.threads;
  Progress progress("calibrating", "samples");
  toolchain::CalibrationOptions how = evidence.calibration;
  how.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total); };
  ZP_ASSIGN_OR_RETURN(evidence.statistics, toolchain::gather_statistics(graph, evidence.data, how));
  if (!inputs[0].preprocess.empty()) {
    evidence.statistics.parts[0].data += "; " + inputs[0].preprocess;
  }
  return evidence;
}

/// Whether ranges or samples have a part in it.
bool needs_data(const toolchain::Recipe& recipe) {
  auto is_static = [](std::optional<toolchain::ActivationMode> mode) {
    return mode == toolchain::ActivationMode::kStatic;
  };
  return is_static(recipe.mode) || !recipe.improvements.empty() ||
         std::any_of(recipe.overrides.begin(), recipe.overrides.end(),
                     [&](const toolchain::RecipeOverride& override) { return is_static(override.mode); });
}

struct Outcome {
  QuantizedNetwork network;
  std::string basis;  // what the plan rests on
};

Result<Outcome> quantize(const Graph& graph, const Options& options) {
  if (!options.plan_input.empty()) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(options.plan_input));
    Result<QuantPlan> plan =
        toolchain::plan_from_json({reinterpret_cast<const char*>(text.data()), text.size()});
    ZP_RETURN_IF_ERROR(plan.status().at(options.plan_input));
    toolchain::Evidence evidence;
    if (!plan->improvements.empty()) {
      ZP_ASSIGN_OR_RETURN(evidence, gather(graph, options));
    }
    toolchain::NetworkQuantizer quantizer(graph, std::move(evidence));
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer.apply(*plan));
    return Outcome{std::move(network), "plan " + options.plan_input};
  }
  ZP_ASSIGN_OR_RETURN(toolchain::Recipe recipe, options.recipe.recipe());
  ZP_RETURN_IF_ERROR(toolchain::check_overrides(recipe, graph));
  if (!needs_data(recipe)) {
    toolchain::NetworkQuantizer quantizer(graph, {});
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer.quantize(recipe));
    return Outcome{std::move(network), "no data: nothing rests on ranges"};
  }
  ZP_ASSIGN_OR_RETURN(toolchain::Evidence evidence, gather(graph, options));
  std::string basis =
      fmt::format("calibrated ({}) on {}", evidence.method.name(), evidence.statistics.data());
  toolchain::NetworkQuantizer quantizer(graph, std::move(evidence));
  ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer.quantize(recipe));
  return Outcome{std::move(network), std::move(basis)};
}

Status run(const Options& options) {
  if (options.print_recipe) {
    ZP_ASSIGN_OR_RETURN(toolchain::Recipe recipe, options.recipe.recipe());
    fmt::print("{}\n", toolchain::to_json(recipe));
    return {};
  }
  ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options.model));
  Result<toolchain::PreparedNetwork> prepared = toolchain::prepare_network(std::move(graph), options.keep);
  ZP_RETURN_IF_ERROR(prepared.status().at(options.model.path));
  // A model that could not run is worth nothing; quantize() says so before anything is written.
  ZP_ASSIGN_OR_RETURN(Outcome outcome, quantize(prepared->graph, options));
  QuantizedNetwork& network = outcome.network;
  attach_plan(network.graph, network.plan);
  ZP_RETURN_IF_ERROR(options.write.write(network.graph, options.output));
  if (!options.plan_output.empty()) {
    ZP_RETURN_IF_ERROR(toolchain::write_file(options.plan_output, toolchain::to_json(network.plan) + "\n"));
  }
  std::int64_t before = toolchain::constant_bytes(prepared->graph);
  std::int64_t after = toolchain::constant_bytes(network.graph);
  if (options.json) {
    nlohmann::ordered_json json{{"model", options.model.path},
                                {"output", options.output},
                                {"basis", outcome.basis},
                                {"record", network.record},
                                {"float_bytes", before},
                                {"quantized_bytes", after},
                                {"plan", nlohmann::ordered_json::parse(toolchain::to_json(network.plan))}};
    fmt::print("{}\n", json.dump(1));
    return {};
  }
  for (const toolchain::Simplification& pass : prepared->passes) {
    fmt::print("simplified: {} ({} times)\n", pass.pass, pass.changes);
  }
  fmt::print("{}\n", toolchain::print(network.plan));
  fmt::print("{}\n", outcome.basis);
  for (const std::string& note : network.record) {
    fmt::print("{}\n", note);
  }
  fmt::print("constants {} -> {} bytes, {:.2f} times smaller\n", before, after,
             static_cast<double>(before) / static_cast<double>(after));
  fmt::print("{} of {} nodes run in integers\n", network.lowering.integer_nodes,
             network.lowering.integer_nodes + network.lowering.floats.size());
  for (const toolchain::FloatNode& node : network.lowering.floats) {
    fmt::print("  float32: {} '{}': {}\n", node.op, node.node, node.reason);
  }
  fmt::print("wrote {}\n", options.output);
  return {};
}

}  // namespace

Action add_quantize(CLI::App& command) {
  auto options = std::make_shared<Options>();
  options->write.format = WriteOptions::Format::kQdq;
  add_model_options(command, options->model);
  command.add_option("-o,--output", options->output, "The quantized model, ONNX");
  command.callback([options] {
    if (options->output.empty() && !options->print_recipe) {
      throw CLI::RequiredError("--output");
    }
  });
  options->data.add(command);
  command.add_option("--input", options->data.inputs,
                     "NAME=FILE.npy: samples of a further input, where the model has several");
  command.add_option("--samples", options->samples, "Samples to calibrate on (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  options->recipe.add(command);
  command.add_flag("--print-recipe", options->print_recipe,
                   "Print the recipe that these options make, complete, and quantize nothing");
  options->write.add(command);
  command.add_flag("--keep", options->keep,
                   "Quantize the nodes as they are, without folding BatchNormalization and the like first");
  command.add_option("--plan-out", options->plan_output, "Also write the plan, JSON");
  command.add_option("--plan", options->plan_input,
                     "Apply this plan instead of deciding; needs no data unless it names improvements");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint quantize lenet.pt -o lenet.int8.onnx --data ~/mnist\n"
      "  zeropoint quantize lenet.pt -o lenet.w4a4.onnx --weight-bits 4 --activation-bits 4\n"
      "  zeropoint quantize bert.onnx -o bert.w4.onnx --recipe weight_only_w4\n"
      "  zeropoint quantize bert.onnx -o bert.int8.onnx --data ids.npy --input mask=mask.npy\n"
      "  zeropoint quantize lenet.pt -o a.onnx --plan-out plan.json; $EDITOR plan.json\n"
      "  zeropoint quantize lenet.pt -o b.onnx --plan plan.json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
