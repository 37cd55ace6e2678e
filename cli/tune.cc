#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "calibration.h"
#include "inputs.h"
#include "interrupt.h"
#include "outputs.h"
#include "plan_metadata.h"
#include "progress.h"
#include "recipe_options.h"
#include "samples.h"
#include "verbs.h"
#include "write_options.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/tune.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Graph;
using toolchain::TuneResult;
using toolchain::TuneStep;

struct Options {
  ModelOptions model;
  CalibrationSamples samples;
  RecipeOptions recipe;
  std::int64_t limit = 1024;
  std::int64_t sensitivity = 32;
  std::int64_t label_offset = 0;
  bool no_labels = false;
  std::string max_drop = "1%";
  double confidence = 0.9;
  std::string output;
  std::string recipe_output;
  std::string state;
  bool resume = false;
  WriteOptions write;
  bool json = false;
  int threads = 0;

  [[nodiscard]] std::string state_path() const { return state.empty() ? output + ".tune.json" : state; }
};

/// "0.5%" or "0.005".
Result<double> parse_share(const std::string& text) {
  bool percent = !text.empty() && text.back() == '%';
  std::string number = percent ? text.substr(0, text.size() - 1) : text;
  double value = 0;
  if (!CLI::detail::lexical_cast(number, value) || !(value >= 0)) {
    return Status::invalid_argument(fmt::format("--max-drop {}: write 0.5% or 0.005", text));
  }
  return percent ? value / 100 : value;
}

std::string step_line(const TuneStep& step) {
  if (!step.error.empty()) {
    return fmt::format("{:<44} could not be tried: {}\n", step.what, step.error);
  }
  return fmt::format("{:<44} {:>8.2f} % {:>8.2f} % {:>11.5f} {:>9.2f}   {}\n", step.what,
                     100 * step.figures.drop, 100 * step.drop_bound, step.figures.divergence,
                     step.figures.bits / 1e6, step.met ? "reached" : (step.kept ? "kept" : "left"));
}

nlohmann::ordered_json to_json(const TuneResult& result, const Options& options, double seconds) {
  nlohmann::ordered_json json{{"model", options.model.path},
                              {"output", options.output},
                              {"target", name_of(result.target)},
                              {"max_drop", options.max_drop},
                              {"met", result.met},
                              {"float_score", result.float_score},
                              {"drop", result.figures.drop},
                              {"drop_bound", result.drop_bound},
                              {"confidence", options.confidence},
                              {"divergence", result.figures.divergence},
                              {"bits", result.figures.bits},
                              {"trials", result.trials},
                              {"known_trials", result.known},
                              {"seconds", seconds},
                              {"raised", result.raised},
                              {"recipe", nlohmann::ordered_json::parse(toolchain::to_json(result.recipe))}};
  json["steps"] = nlohmann::ordered_json::array();
  for (const TuneStep& step : result.steps) {
    json["steps"].push_back({{"what", step.what},
                             {"drop", step.figures.drop},
                             {"expected_drop", step.figures.expected_drop},
                             {"standard_error", step.figures.standard_error},
                             {"drop_bound", step.drop_bound},
                             {"divergence", step.figures.divergence},
                             {"bits", step.figures.bits},
                             {"kept", step.kept},
                             {"met", step.met},
                             {"error", step.error}});
  }
  return json;
}

void print_result(const TuneResult& result, const Options& options, double seconds) {
  fmt::print(
      "\n{}: {} drops by {:.2f} % from {:.4f} in float, by at most {:.2f} % at {:g} % confidence ({} "
      "allowed); "
      "{:.2f} Mbit\n",
      result.met ? "reached" : "not reached", name_of(result.target), 100 * result.figures.drop,
      result.float_score, 100 * result.drop_bound, 100 * options.confidence, options.max_drop,
      result.figures.bits / 1e6);
  for (const std::string& layer : result.raised) {
    fmt::print("raised {}\n", layer);
  }
  fmt::print("{} trials ({} known from before), {:.1f} minutes\nwrote {}\n", result.trials, result.known,
             seconds / 60, options.output);
}

Result<toolchain::Evidence> gather(const Graph& graph, const Options& options) {
  ZP_ASSIGN_OR_RETURN(LoadedSamples samples, load_calibration_samples(options.samples, graph));
  toolchain::Evidence evidence;
  evidence.data = samples.data;
  evidence.calibration.threads = options.threads;
  evidence.calibration.stop = interrupted;
  ZP_ASSIGN_OR_RETURN(evidence.statistics, gather_with_progress(graph, samples, evidence.calibration));
  return interrupted()
             ? Result<toolchain::Evidence>(Status(StatusCode::kIo, "stopped before the first trial"))
             : std::move(evidence);
}

/// What drops are measured on: the samples that calibration has the first of.
Result<std::vector<std::shared_ptr<const Dataset>>> tuning_samples(const Graph& graph,
                                                                   const Options& options) {
  CalibrationSamples all = options.samples;
  all.limit = options.limit;
  ZP_ASSIGN_OR_RETURN(LoadedSamples samples, load_calibration_samples(all, graph));
  return std::move(samples.data);
}

Status run(const Options& options) {
  auto start = std::chrono::steady_clock::now();
  toolchain::TuneOptions how;
  ZP_ASSIGN_OR_RETURN(how.max_drop, parse_share(options.max_drop));
  how.confidence = options.confidence;
  ZP_ASSIGN_OR_RETURN(how.start, options.recipe.recipe());
  if (options.resume) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(options.state_path()));
    how.state = std::string(reinterpret_cast<const char*>(text.data()), text.size());
  }
  ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options.model));
  Result<toolchain::PreparedNetwork> prepared = toolchain::prepare_network(std::move(graph));
  ZP_RETURN_IF_ERROR(prepared.status().at(options.model.path));
  ZP_RETURN_IF_ERROR(toolchain::check_overrides(how.start, prepared->graph));
  StopOnInterrupt stop;
  ZP_ASSIGN_OR_RETURN(toolchain::Evidence evidence, gather(prepared->graph, options));
  ZP_ASSIGN_OR_RETURN(std::vector<std::shared_ptr<const Dataset>> data,
                      tuning_samples(prepared->graph, options));
  how.is_text = !options.samples.samples.tokens.empty();
  how.sensitivity_samples = options.sensitivity;
  how.measure.threads = options.threads;
  how.measure.use_labels = !options.no_labels;
  how.measure.evaluation.label_offset = options.label_offset;
  how.measure.evaluation.scores_are_probabilities = ends_in_softmax(prepared->graph);
  how.subject = fmt::format("{}; {}; calibrated on {}", options.model.path, data[0]->description(),
                            evidence.data[0]->size());
  std::string trial;
  bool is_first = true;
  Progress progress("tuning", "samples");
  how.on_trial = [&](const std::string& what) { trial = what; };
  how.measure.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total, trial); };
  how.save = [&](const std::string& state) { return toolchain::write_file(options.state_path(), state); };
  how.stop = interrupted;
  if (!options.json) {
    how.on_step = [&](const TuneStep& step) {
      progress.clear();
      if (std::exchange(is_first, false)) {
        fmt::print("{:<44} {:>10} {:>10} {:>11} {:>9}\n", "tried", "drop", "at most", "divergence", "Mbit");
      }
      fmt::print("{}", step_line(step));
      std::fflush(stdout);
    };
  }
  evidence.calibration.progress = how.measure.progress;
  toolchain::NetworkQuantizer quantizer(prepared->graph, std::move(evidence));
  Result<TuneResult> tuned = toolchain::tune(quantizer, prepared->graph, data, how);
  progress.clear();
  if (!tuned.ok()) {
    return interrupted() ? Status(tuned.status().code(),
                                  fmt::format("{}; the same command with --resume goes on from {}",
                                              tuned.status().message(), options.state_path()))
                         : tuned.status().at(options.model.path);
  }
  attach_plan(tuned->network.graph, tuned->network.plan);
  ZP_RETURN_IF_ERROR(options.write.write(tuned->network.graph, options.output));
  if (!options.recipe_output.empty()) {
    ZP_RETURN_IF_ERROR(
        toolchain::write_file(options.recipe_output, toolchain::to_json(tuned->recipe) + "\n"));
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.json) {
    fmt::print("{}\n", to_json(*tuned, options, seconds).dump(1));
  } else {
    print_result(*tuned, options, seconds);
  }
  return {};
}

}  // namespace

Action add_tune(CLI::App& command) {
  auto options = std::make_shared<Options>();
  options->write.format = WriteOptions::Format::kQdq;
  add_model_options(command, options->model);
  command.add_option("-o,--output", options->output, "The quantized model, ONNX")->required();
  command
      .add_option("--max-drop", options->max_drop,
                  "What may be lost: of top-1 where there are labels, of perplexity for --tokens, else of "
                  "the samples whose first class stays the same; 0.5% or 0.005")
      ->capture_default_str();
  command
      .add_option(
          "--confidence", options->confidence,
          "How sure it must be that no more is lost, 0.5 to below 1; 0.5 is content with the estimate")
      ->check([](const std::string& text) {
        double value = 0;
        bool good = CLI::detail::lexical_cast(text, value) && value >= 0.5 && value < 1;
        return good ? std::string() : "must be at least 0.5 and below 1, not " + text;
      })
      ->capture_default_str();
  options->samples.add(command);
  command.add_option("--limit", options->limit, "Samples to measure the drop on (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--sensitivity-samples", options->sensitivity,
                  "Samples to put the layers in order by what more bits gain")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--label-offset", options->label_offset,
                     "A class's number in the model, less its label: 1 leaves out a background class");
  command.add_flag("--no-labels", options->no_labels, "Aim at agreement, though the data have labels");
  options->recipe.add(command);
  options->write.add(command);
  command.add_option("--recipe-out", options->recipe_output,
                     "Also write the recipe that was arrived at, JSON");
  command.add_option("--state", options->state,
                     "Where each trial is kept as soon as it is done (default: OUTPUT.tune.json)");
  command.add_flag("--resume", options->resume, "Go on from the state that a stopped search left");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint tune mobilenet.onnx -o mobilenet.int8.onnx --max-drop 0.5% --data imagenet/train\n"
      "      --resize 224x224 --scale 1/127.5 --mean 1\n"
      "  zeropoint tune language.onnx -o language.int8.onnx --max-drop 1% --tokens train.npy\n"
      "  zeropoint tune net.onnx -o net.int8.onnx --data x.npy --max-drop 0.1% --recipe-out net.json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
