#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "choice.h"
#include "inputs.h"
#include "model_runner.h"
#include "network.h"
#include "outputs.h"
#include "samples.h"
#include "verbs.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Evaluation;
using toolchain::Graph;

struct Options {
  ModelOptions model;
  SampleOptions samples;
  bool on_train = false;
  std::int64_t limit = 0;
  std::int64_t batch = 0;
  std::int64_t top_k = 5;
  std::int64_t label_offset = 0;
  std::string output;
  Engine engine = Engine::kAuto;
  RequantizeMode requantize = RequantizeMode::kFloat;
  std::string compare_to;
  std::string predictions;
  bool per_class = false;
  bool confusion = false;
  bool json = false;
  int threads = 0;
};

/// What was measured, on what.
struct Outcome {
  std::string engine;
  std::vector<std::string> inputs;                   ///< their names
  std::vector<std::shared_ptr<const Dataset>> data;  ///< of each input
  Samples samples;                                   ///< of the input whose data have the labels
  Evaluation result;

  /// With as many classes as places, every label is among them.
  [[nodiscard]] bool has_top_k() const {
    return static_cast<std::int64_t>(result.classes.size()) > result.top_k;
  }
};

void print_classes(const Options& options, const Evaluation& result) {
  if (options.per_class) {
    fmt::print("\n{:<12} {:>7} {:>7} {:>8}\n", "class", "images", "right", "top-1");
    for (const toolchain::ClassResult& c : result.classes) {
      fmt::print("{:<12} {:>7} {:>7} {:>6.2f} %\n", c.name, c.count, c.correct,
                 c.count == 0 ? 0.0 : 100.0 * static_cast<double>(c.correct) / static_cast<double>(c.count));
    }
  }
  if (options.confusion) {
    fmt::print("\nlabel (down) taken for (across)\n");
    for (std::size_t label = 0; label < result.confusion.size(); ++label) {
      fmt::print("{:<12}", result.classes[label].name);
      for (std::int64_t count : result.confusion[label]) {
        fmt::print(" {:>6}", count);
      }
      fmt::print("\n");
    }
  }
}

void print_text(const Options& options, const Outcome& outcome) {
  const Evaluation& result = outcome.result;
  fmt::print("model   {} ({})\n", options.model.path, outcome.engine);
  fmt::print("data    {}\n", outcome.samples.data->description());
  for (std::size_t i = 0; i < outcome.data.size(); ++i) {
    if (outcome.data[i] != outcome.samples.data) {
      fmt::print("        {}: {}\n", outcome.inputs[i], outcome.data[i]->description());
    }
  }
  if (!outcome.samples.preprocess.empty()) {
    fmt::print("input   {}\n", outcome.samples.preprocess);
  }
  fmt::print("top-1   {:.2f} %   {} of {}\n", 100 * result.accuracy(), result.correct, result.count);
  if (outcome.has_top_k()) {
    fmt::print("top-{}   {:.2f} %   {} of {}\n", result.top_k, 100 * result.top_k_accuracy(),
               result.top_k_correct, result.count);
  }
  fmt::print("loss    {:.4f}{}\n", result.mean_loss, outcome.samples.is_text ? " per token" : "");
  if (outcome.samples.is_text) {
    fmt::print("perplexity {:.4f}\n", std::exp(result.mean_loss));
  }
  if (!options.compare_to.empty()) {
    fmt::print("agrees  {:.2f} %   {} of {} with {}\n", 100 * result.agreement(), result.agreeing,
               result.count, options.compare_to);
  }
  print_classes(options, result);
}

void print_json(const Options& options, const Outcome& outcome) {
  const Evaluation& result = outcome.result;
  nlohmann::ordered_json json{{"model", options.model.path},
                              {"engine", outcome.engine},
                              {"data", outcome.samples.data->description()},
                              {"preprocess", outcome.samples.preprocess},
                              {"count", result.count},
                              {"correct", result.correct},
                              {"top1", result.accuracy()},
                              {"k", result.top_k},
                              {"topk", result.top_k_accuracy()},
                              {"loss", result.mean_loss}};
  for (std::size_t i = 0; i < outcome.data.size() && outcome.data.size() > 1; ++i) {
    json["inputs"].push_back({{"name", outcome.inputs[i]}, {"data", outcome.data[i]->description()}});
  }
  if (outcome.samples.is_text) {
    json["perplexity"] = std::exp(result.mean_loss);
  }
  if (!options.compare_to.empty()) {
    json["agreeing"] = result.agreeing;
    json["agreement"] = result.agreement();
  }
  for (const toolchain::ClassResult& c : result.classes) {
    json["classes"].push_back({{"name", c.name}, {"count", c.count}, {"correct", c.correct}});
  }
  if (options.confusion) {
    json["confusion"] = result.confusion;
  }
  fmt::print("{}\n", json.dump(1));
}

/// One line per label: its sample (and its position in it, where there are several), label, prediction.
Status write_predictions(const std::string& path, const Dataset& data, const Evaluation& result) {
  auto each = static_cast<std::size_t>(data.labels_per_sample());
  std::string text = each == 1 ? "index,label,predicted\n" : "index,position,label,predicted\n";
  std::vector<std::int64_t> labels(each);
  for (std::int64_t index = 0; index < data.size(); ++index) {
    ZP_RETURN_IF_ERROR(data.read_labels(index, labels));
    for (std::size_t i = 0; i < each; ++i) {
      std::string position = each == 1 ? "" : fmt::format("{},", i);
      text += fmt::format("{},{}{},{}\n", index, position, labels[i],
                          result.predictions[static_cast<std::size_t>(index) * each + i]);
    }
  }
  return toolchain::write_file(path, text);
}

/// As many samples at once as 32 MB hold, at most 256.
std::int64_t batch_size(const std::vector<std::shared_ptr<const Dataset>>& inputs) {
  constexpr std::int64_t kBytes = std::int64_t{32} << 20;
  std::int64_t sample = 0;
  for (const std::shared_ptr<const Dataset>& data : inputs) {
    Result<std::int64_t> elements = element_count(data->sample_shape());
    sample += (elements.ok() ? *elements : 1) * static_cast<std::int64_t>(size_of(data->element_type()));
  }
  return std::clamp<std::int64_t>(kBytes / std::max<std::int64_t>(sample, 1), 1, 256);
}

std::vector<std::string> input_names(const Graph& graph) {
  std::vector<std::string> names;
  for (toolchain::ValueId id : graph.inputs) {
    names.push_back(graph.value(id).name);
  }
  return names;
}

/// The data of `outcome` for a model whose inputs are called `names`: by name, or in order where the names
/// are others.
Result<std::vector<std::shared_ptr<const Dataset>>> data_for(const std::vector<std::string>& names,
                                                             const Outcome& outcome) {
  if (names.size() != outcome.data.size()) {
    return Status::invalid_argument(fmt::format("the model has {} inputs, the one it is compared to has {}",
                                                outcome.data.size(), names.size()));
  }
  if (!std::is_permutation(names.begin(), names.end(), outcome.inputs.begin())) {
    return outcome.data;
  }
  std::vector<std::shared_ptr<const Dataset>> data;
  for (const std::string& name : names) {
    auto place = std::find(outcome.inputs.begin(), outcome.inputs.end(), name) - outcome.inputs.begin();
    data.push_back(outcome.data[static_cast<std::size_t>(place)]);
  }
  return data;
}

/// What the predictions of the model that this one is compared to are.
Result<std::vector<std::int64_t>> reference_predictions(const Options& options, const Outcome& outcome,
                                                        const toolchain::EvaluationOptions& how) {
  ZP_ASSIGN_OR_RETURN(Network other, load_network({options.compare_to, options.model.architecture}));
  ZP_RETURN_IF_ERROR(toolchain::widen_halves(other.graph).status().at(options.compare_to));
  ZP_RETURN_IF_ERROR(select_output(other, options.output).at(options.compare_to));
  Result<std::vector<std::shared_ptr<const Dataset>>> data = data_for(input_names(other.graph), outcome);
  ZP_RETURN_IF_ERROR(data.status().at(options.compare_to));
  ZP_ASSIGN_OR_RETURN(Runner runner, make_runner(other, Engine::kAuto, options.requantize, options.threads));
  ZP_ASSIGN_OR_RETURN(Evaluation reference, evaluate_with_progress(runner, *data, how, "reference"));
  return std::move(reference.predictions);
}

/// The samples of each input of `graph` into `outcome`.
Status load_data_of(const Options& options, const Graph& graph, Outcome& outcome) {
  toolchain::Split split = options.on_train ? toolchain::Split::kTrain : toolchain::Split::kTest;
  ZP_ASSIGN_OR_RETURN(std::vector<Samples> inputs, load_inputs(options.samples, split, graph));
  outcome.inputs = input_names(graph);
  for (Samples& samples : inputs) {
    ZP_ASSIGN_OR_RETURN(samples.data, limited(samples.data, options.limit));
    outcome.data.push_back(samples.data);
  }
  const std::shared_ptr<const Dataset>& labelled = toolchain::labelled_one(outcome.data);
  outcome.samples = std::move(inputs[static_cast<std::size_t>(&labelled - outcome.data.data())]);
  return {};
}

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(Network network, load_network(options.model));
  Graph& graph = network.graph;
  ZP_RETURN_IF_ERROR(toolchain::widen_halves(graph).status().at(options.model.path));
  ZP_RETURN_IF_ERROR(select_output(network, options.output).at(options.model.path));
  Outcome outcome;
  ZP_RETURN_IF_ERROR(load_data_of(options, graph, outcome));
  ZP_ASSIGN_OR_RETURN(Runner runner,
                      make_runner(network, options.engine, options.requantize, options.threads));
  outcome.engine = runner.engine;
  toolchain::EvaluationOptions how;
  how.batch_size = options.batch > 0 ? options.batch : batch_size(outcome.data);
  how.top_k = options.top_k;
  how.label_offset = options.label_offset;
  how.confusion = options.confusion;
  how.scores_are_probabilities = ends_in_softmax(network);
  if (!options.compare_to.empty()) {
    ZP_ASSIGN_OR_RETURN(how.reference_predictions, reference_predictions(options, outcome, how));
  }
  ZP_ASSIGN_OR_RETURN(outcome.result, evaluate_with_progress(runner, outcome.data, how, "evaluating"));
  if (!options.predictions.empty()) {
    ZP_RETURN_IF_ERROR(write_predictions(options.predictions, *outcome.samples.data, outcome.result));
  }
  (options.json ? print_json : print_text)(options, outcome);
  return {};
}

}  // namespace

Action add_eval(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model, true);
  options->samples.add(command);
  command.add_flag("--train", options->on_train,
                   "Evaluate on the training images instead of the test images");
  command.add_option("--limit", options->limit, "Only the first N samples (0: all)")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--batch", options->batch, "Samples per batch (default: 256, fewer of large ones)")
      ->check(CLI::PositiveNumber);
  command.add_option("--top", options->top_k, "Also count labels among the K best")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--label-offset", options->label_offset,
                     "A class's number in the model, less its label: 1 leaves out a background class");
  command.add_option("--output", options->output, "The model's output that holds the scores");
  add_choice<Engine>(command, "--engine", options->engine,
                     {{"auto", Engine::kAuto}, {"float", Engine::kFloat}, {"integer", Engine::kInteger}},
                     "auto: quantized models in integers, others in float, also those of which only the "
                     "weights are quantized "
                     "or whose ranges each run finds; float simulates the quantization; integer: the program "
                     "that compile makes");
  add_choice<RequantizeMode>(
      command, "--requantize", options->requantize,
      {{"float", RequantizeMode::kFloat}, {"fixed-point", RequantizeMode::kFixedPoint}},
      "How accumulators become integers again");
  command.add_option("--compare-to", options->compare_to,
                     "Another model: count how often both predict the same");
  command.add_option("--predictions", options->predictions, "Write each sample's label and prediction, CSV");
  command.add_flag("--per-class", options->per_class, "Print a table of the classes");
  command.add_flag("--confusion", options->confusion, "Print how often each class was taken for which");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint eval lenet.pt --data ~/mnist --per-class\n"
      "  zeropoint eval lenet.int8.onnx --compare-to lenet.pt\n"
      "  zeropoint eval resnet.onnx --data imagenet/val --resize 256 --crop 224 --scale 1/255\n"
      "      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225\n"
      "  zeropoint eval keywords.onnx --data features.npy --labels labels.npy\n"
      "  zeropoint eval language.onnx --tokens test.npy --stride 64\n"
      "  zeropoint eval bert.onnx --data ids.npy --labels labels.npy --input mask=mask.npy");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
