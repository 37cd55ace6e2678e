#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "comparison_text.h"
#include "inputs.h"
#include "model_runner.h"
#include "outputs.h"
#include "plan_metadata.h"
#include "progress.h"
#include "samples.h"
#include "verbs.h"
#include "zeropoint/toolchain/improved_reference.h"
#include "zeropoint/toolchain/measure.h"
#include "zeropoint/toolchain/simplify.h"
#include "zeropoint/toolchain/verdict.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Graph;
using toolchain::Measurement;

struct Options {
  ModelOptions reference;
  std::string quantized;
  SampleOptions samples;
  bool on_train = false;
  std::int64_t limit = 64;
  std::int64_t label_offset = 0;
  bool no_labels = false;
  std::int64_t findings = 5;
  bool all = false;
  bool json = false;
  int threads = 0;
};

/// The options of `command` that say which data and what is done to them, as they were given.
std::string data_words(const CLI::App& command) {
  CLI::App only_data;
  SampleOptions samples;
  samples.add(only_data);
  std::string words;
  for (const CLI::Option* option : command.get_options()) {
    std::string name = option->get_lnames().empty() ? "" : "--" + option->get_lnames().front();
    if (option->count() == 0 || only_data.get_option_no_throw(name) == nullptr) {
      continue;
    }
    words += (words.empty() ? "" : " ") + name;
    if (option->get_expected_max() > 0) {
      words += fmt::format(" {}", fmt::join(option->results(), ","));
    }
  }
  return words;
}

Status run(const Options& options, const CLI::App& command) {
  ZP_ASSIGN_OR_RETURN(Graph reference, load_model(options.reference));
  ZP_ASSIGN_OR_RETURN(Graph quantized, load_model({options.quantized, options.reference.architecture}));
  bool weights_alone = !is_quantized(quantized) && std::any_of(quantized.nodes.begin(), quantized.nodes.end(),
                                                               [](const toolchain::Node& node) {
                                                                 return node.op == Op::kDequantizeLinear;
                                                               });
  if (!is_quantized(reference) && weights_alone) {
    return Status::invalid_argument(
        fmt::format("{}: its weights alone are quantized, and compare measures activations; zeropoint eval "
                    "{} --compare-to {} "
                    "counts how often both predict the same",
                    options.quantized, options.quantized, options.reference.path));
  }
  if (is_quantized(reference) || !is_quantized(quantized)) {
    return Status::invalid_argument(
        fmt::format("{}: the model is {}; compare takes the float model first, then the quantized one",
                    is_quantized(reference) ? options.reference.path : options.quantized,
                    is_quantized(reference) ? "quantized" : "not quantized"));
  }
  ZP_RETURN_IF_ERROR(toolchain::widen_halves(reference).status().at(options.reference.path));
  ZP_RETURN_IF_ERROR(toolchain::widen_halves(quantized).status().at(options.quantized));
  toolchain::Split split = options.on_train ? toolchain::Split::kTrain : toolchain::Split::kTest;
  ZP_ASSIGN_OR_RETURN(std::vector<Samples> inputs, load_inputs(options.samples, split, reference));
  std::vector<std::shared_ptr<const Dataset>> data;
  for (const Samples& samples : inputs) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> some, limited(samples.data, options.limit));
    data.push_back(std::move(some));
  }
  // Channels of an equalized network are not those of the float one, but for factors.
  Result<toolchain::QuantPlan> plan = plan_of(quantized);
  if (plan.ok()) {
    ZP_ASSIGN_OR_RETURN(reference, toolchain::improved_reference(reference, *plan, data, options.threads));
  }
  Progress progress("comparing", "samples");
  toolchain::MeasureOptions how;
  how.threads = options.threads;
  how.plan = plan.ok() ? &*plan : nullptr;
  how.use_labels = !options.no_labels;
  how.evaluation.label_offset = options.label_offset;
  how.evaluation.scores_are_probabilities = ends_in_softmax(reference);
  how.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total); };
  ZP_ASSIGN_OR_RETURN(Measurement measurement, toolchain::measure(reference, quantized, data, how));
  progress.clear();
  ComparisonReport report{
      options.reference.path, options.quantized, inputs[0].is_text, std::move(measurement), {}};
  toolchain::CommandWords words{options.reference.path, "better.onnx", data_words(command)};
  report.findings = toolchain::verdict(report.measurement, words);
  if (options.json) {
    fmt::print("{}\n", to_json(report).dump(1));
  } else {
    fmt::print("{}", to_text(report, {static_cast<std::size_t>(options.findings), options.all}));
  }
  return {};
}

}  // namespace

Action add_compare(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->reference);
  command.get_option("model")->description("The float model, .onnx or .pt");
  command.add_option("quantized", options->quantized, "The quantized model: QDQ or QOperator, by any tool")
      ->required();
  options->samples.add(command);
  command.add_flag("--train", options->on_train, "Compare on the training images instead of the test images");
  command.add_option("--limit", options->limit, "Only the first N samples (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--label-offset", options->label_offset,
                     "A class's number in the model, less its label: 1 leaves out a background class");
  command.add_flag("--no-labels", options->no_labels,
                   "Do not count right answers, though the data have labels");
  command.add_option("--findings", options->findings, "How many layers the verdict names")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_flag("--all", options->all, "List also tensors whose integers are only moved");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint compare lenet.pt lenet.int8.onnx --data ~/mnist\n"
      "  zeropoint compare resnet.onnx resnet.int8.onnx --data imagenet/val --resize 256 --crop 224\n"
      "      --scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --limit 200\n"
      "  zeropoint compare language.onnx language.int8.onnx --tokens test.npy --json");
  return [options, &command] { return run(*options, command); };
}

}  // namespace zeropoint::cli
