#include "zeropoint/toolchain/quantize.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "inputs.h"
#include "model_runner.h"
#include "plan_metadata.h"
#include "progress.h"
#include "recipe_options.h"
#include "samples.h"
#include "verbs.h"
#include "write_options.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/profile.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Graph;
using toolchain::QuantPlan;
using toolchain::RangeTable;

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
  bool json = false;
  int threads = 0;
};

Result<RangeTable> calibrate_with_progress(const Graph& graph, const Options& options) {
  ZP_ASSIGN_OR_RETURN(std::vector<Samples> inputs,
                      load_inputs(options.data, toolchain::Split::kTrain, graph));
  std::vector<std::shared_ptr<const Dataset>> data;
  for (const Samples& samples : inputs) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> some, limited(samples.data, options.samples));
    data.push_back(std::move(some));
  }
  Progress progress("calibrating", "samples");
  toolchain::CalibrationOptions how;
  how.threads = options.threads;
  how.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total); };
  ZP_ASSIGN_OR_RETURN(RangeTable ranges, toolchain::calibrate(graph, data, how));
  if (!inputs[0].preprocess.empty()) {
    ranges.data += "; " + inputs[0].preprocess;
  }
  return ranges;
}

struct Planned {
  QuantPlan plan;
  std::string basis;  // what the plan rests on
};

Result<Planned> decide(const Graph& graph, const Options& options) {
  if (!options.plan_input.empty()) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(options.plan_input));
    Result<QuantPlan> plan =
        toolchain::plan_from_json({reinterpret_cast<const char*>(text.data()), text.size()});
    ZP_RETURN_IF_ERROR(plan.status().at(options.plan_input));
    return Planned{*std::move(plan), "plan " + options.plan_input};
  }
  ZP_ASSIGN_OR_RETURN(RangeTable ranges, calibrate_with_progress(graph, options));
  ZP_ASSIGN_OR_RETURN(QuantPlan plan, toolchain::make_plan(graph, ranges, options.recipe.recipe()));
  return Planned{std::move(plan), fmt::format("calibrated ({}) on {}", ranges.method, ranges.data)};
}

int weight_bits(const QuantPlan& plan) {
  int bits = 2;
  for (const toolchain::Decision& decision : plan.decisions) {
    bits = decision.role == toolchain::TensorRole::kWeight ? std::max(bits, decision.type.bits) : bits;
  }
  return bits;
}

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options.model));
  if (is_quantized(graph)) {
    return Status::invalid_argument(options.model.path + ": the model is quantized already");
  }
  ZP_RETURN_IF_ERROR(toolchain::widen_halves(graph).status().at(options.model.path));
  std::vector<toolchain::Simplification> simplified;
  if (!options.keep) {
    ZP_ASSIGN_OR_RETURN(simplified, toolchain::simplify(graph));
  }
  toolchain::separate_constants(graph);
  ZP_ASSIGN_OR_RETURN(Planned planned, decide(graph, options));
  ZP_ASSIGN_OR_RETURN(Graph quantized, toolchain::apply_plan(graph, planned.plan));
  // A model that could not run is worth nothing; say so before anything is written.
  ZP_ASSIGN_OR_RETURN(toolchain::Lowering lowering, toolchain::lower(quantized, RequantizeMode::kFloat));
  attach_plan(quantized, planned.plan);
  ZP_RETURN_IF_ERROR(options.write.write(quantized, options.output));
  if (!options.plan_output.empty()) {
    ZP_RETURN_IF_ERROR(toolchain::write_file(options.plan_output, toolchain::to_json(planned.plan) + "\n"));
  }
  ZP_ASSIGN_OR_RETURN(toolchain::Profile profile, toolchain::profile(graph));
  std::int64_t before = profile.model_bytes(32);
  std::int64_t after = profile.model_bytes(weight_bits(planned.plan));
  if (options.json) {
    nlohmann::ordered_json json{{"model", options.model.path},
                                {"output", options.output},
                                {"basis", planned.basis},
                                {"float_bytes", before},
                                {"quantized_bytes", after},
                                {"plan", nlohmann::ordered_json::parse(toolchain::to_json(planned.plan))}};
    fmt::print("{}\n", json.dump(1));
    return {};
  }
  for (const toolchain::Simplification& pass : simplified) {
    fmt::print("simplified: {} ({} times)\n", pass.pass, pass.changes);
  }
  fmt::print("{}\n", toolchain::print(planned.plan));
  fmt::print("{}\n", planned.basis);
  fmt::print("parameters {} -> {} bytes, {:.2f} times smaller (as packed; the ONNX file stores int8)\n",
             before, after, static_cast<double>(before) / static_cast<double>(after));
  fmt::print("{} of {} nodes run in integers\n", lowering.integer_nodes,
             lowering.integer_nodes + lowering.floats.size());
  for (const toolchain::FloatNode& node : lowering.floats) {
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
  command.add_option("-o,--output", options->output, "The quantized model, ONNX")->required();
  options->data.add(command);
  command.add_option("--input", options->data.inputs,
                     "NAME=FILE.npy: samples of a further input, where the model has several");
  command.add_option("--samples", options->samples, "Samples to calibrate on (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  options->recipe.add(command);
  options->write.add(command);
  command.add_flag("--keep", options->keep,
                   "Quantize the nodes as they are, without folding BatchNormalization and the like first");
  command.add_option("--plan-out", options->plan_output, "Also write the plan, JSON");
  command.add_option("--plan", options->plan_input, "Apply this plan instead of deciding; needs no data");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint quantize lenet.pt -o lenet.int8.onnx --data ~/mnist\n"
      "  zeropoint quantize lenet.pt -o lenet.w4a4.onnx --weight-bits 4 --activation-bits 4\n"
      "  zeropoint quantize bert.onnx -o bert.int8.onnx --data ids.npy --input mask=mask.npy\n"
      "  zeropoint quantize lenet.pt -o a.onnx --plan-out plan.json; $EDITOR plan.json\n"
      "  zeropoint quantize lenet.pt -o b.onnx --plan plan.json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
