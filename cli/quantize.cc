#include "zeropoint/toolchain/quantize_network.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "calibration.h"
#include "inputs.h"
#include "interrupt.h"
#include "plan_metadata.h"
#include "progress.h"
#include "recipe_options.h"
#include "verbs.h"
#include "write_options.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/profile.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using toolchain::QuantizedNetwork;
using toolchain::QuantPlan;

struct Options {
  ModelOptions model;
  CalibrationSamples samples;
  std::string calibrator = "minmax";
  std::string statistics;
  std::string statistics_output;
  RecipeOptions recipe;
  std::string output;
  WriteOptions write;
  std::string plan_output;
  std::string plan_input;
  bool keep = false;
  bool print_recipe = false;
  bool json = false;
  int threads = 0;
};

/// What is known of `graph`: from a file, or from samples.
Result<toolchain::Evidence> gather(const Graph& graph, const Options& options) {
  StopOnInterrupt stop;
  toolchain::Evidence evidence;
  ZP_ASSIGN_OR_RETURN(evidence.method, toolchain::CalibrationMethod::parse(options.calibrator));
  evidence.calibration.threads = options.threads;
  bool from_file = !options.statistics.empty();
  if (from_file) {
    ZP_ASSIGN_OR_RETURN(evidence.statistics, read_statistics(options.statistics));
    ZP_RETURN_IF_ERROR(toolchain::check_model(evidence.statistics, graph).at(options.statistics));
  }
  if (!from_file || options.samples.given()) {
    ZP_ASSIGN_OR_RETURN(LoadedSamples samples, load_calibration_samples(options.samples, graph));
    evidence.data = samples.data;
    if (!from_file) {
      ZP_ASSIGN_OR_RETURN(evidence.statistics, gather_with_progress(graph, samples, evidence.calibration));
    }
  }
  if (!options.statistics_output.empty()) {
    ZP_RETURN_IF_ERROR(
        toolchain::write_file(options.statistics_output, toolchain::to_json(evidence.statistics)));
  }
  if (interrupted()) {
    return Status(StatusCode::kIo, fmt::format("stopped after {} of {} samples; {}",
                                               evidence.statistics.samples(), evidence.data[0]->size(),
                                               options.statistics_output.empty()
                                                   ? "nothing was written"
                                                   : "their statistics are in " + options.statistics_output));
  }
  return evidence;
}

/// Whether one of the improvements rests on calibration.
bool improve_by_data(const std::vector<std::string>& improvements) {
  return std::any_of(improvements.begin(), improvements.end(), [](const std::string& name) {
    return name != "mse-weights" && name != "bias-correction-analytic";
  });
}

/// Whether ranges or samples have a part in it.
bool needs_data(const toolchain::Recipe& recipe) {
  auto is_static = [](std::optional<toolchain::ActivationMode> mode) {
    return mode == toolchain::ActivationMode::kStatic;
  };
  return is_static(recipe.mode) || improve_by_data(recipe.improvements) ||
         std::any_of(recipe.overrides.begin(), recipe.overrides.end(),
                     [&](const toolchain::RecipeOverride& override) { return is_static(override.mode); });
}

struct Outcome {
  QuantizedNetwork network;
  std::string basis;  // what the plan rests on
};

Result<Outcome> quantize(const toolchain::PreparedNetwork& prepared, const Options& options) {
  const Graph& graph = prepared.graph;
  Progress progress("improving", "steps");
  auto improve_with = [&](toolchain::Evidence& evidence) {
    evidence.means = prepared.means;
    evidence.calibration.progress = [&](std::int64_t done, std::int64_t total) {
      progress.update(done, total);
    };
  };
  if (!options.plan_input.empty()) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(options.plan_input));
    Result<QuantPlan> plan =
        toolchain::plan_from_json({reinterpret_cast<const char*>(text.data()), text.size()});
    ZP_RETURN_IF_ERROR(plan.status().at(options.plan_input));
    toolchain::Evidence evidence;
    ZP_ASSIGN_OR_RETURN(bool needs_data, toolchain::needs_evidence(*plan));
    if (needs_data) {
      ZP_ASSIGN_OR_RETURN(evidence, gather(graph, options));
    }
    improve_with(evidence);
    toolchain::NetworkQuantizer quantizer(graph, std::move(evidence));
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer.apply(*plan));
    return Outcome{std::move(network), "plan " + options.plan_input};
  }
  ZP_ASSIGN_OR_RETURN(toolchain::Recipe recipe, options.recipe.recipe());
  ZP_RETURN_IF_ERROR(toolchain::check_overrides(recipe, graph));
  if (!needs_data(recipe)) {
    toolchain::Evidence evidence;
    improve_with(evidence);
    toolchain::NetworkQuantizer quantizer(graph, std::move(evidence));
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer.quantize(recipe));
    return Outcome{std::move(network), "no data: nothing rests on ranges"};
  }
  ZP_ASSIGN_OR_RETURN(toolchain::Evidence evidence, gather(graph, options));
  std::string basis =
      fmt::format("calibrated ({}) on {}", evidence.method.name(), evidence.statistics.data());
  improve_with(evidence);
  toolchain::NetworkQuantizer quantizer(graph, std::move(evidence));
  ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer.quantize_and_cure(recipe));
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
  ZP_ASSIGN_OR_RETURN(Outcome outcome, quantize(*prepared, options));
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
  options->samples.add(command);
  add_calibrator_option(command, options->calibrator);
  command.add_option("--statistics", options->statistics,
                     "Statistics that `zeropoint calibrate` wrote; needs no data");
  command.add_option("--statistics-out", options->statistics_output, "Also write the statistics, JSON");
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
      "  zeropoint quantize resnet.onnx -o resnet.int8.onnx --statistics stats.json --calibrator "
      "percentile:99.99\n"
      "  zeropoint quantize lenet.pt -o a.onnx --plan-out plan.json; $EDITOR plan.json\n"
      "  zeropoint quantize lenet.pt -o b.onnx --plan plan.json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
