#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "choice.h"
#include "inputs.h"
#include "model_runner.h"
#include "verbs.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Evaluation;
using toolchain::Graph;

struct Options {
  ModelOptions model;
  DataOptions data;
  bool on_train = false;
  std::int64_t limit = 0;
  std::int64_t batch = 256;
  std::int64_t top_k = 5;
  Engine engine = Engine::kAuto;
  RequantizeMode requantize = RequantizeMode::kFloat;
  std::string compare_to;
  bool per_class = false;
  bool confusion = false;
  bool json = false;
  int threads = 0;
};

void print_text(const Options& options, const Runner& runner, const Dataset& data, const Evaluation& result) {
  fmt::print("model   {} ({})\n", options.model.path, runner.engine);
  fmt::print("data    {}\n", data.description());
  fmt::print("top-1   {:.2f} %   {} of {}\n", 100 * result.accuracy(), result.correct, result.count);
  fmt::print("top-{}   {:.2f} %   {} of {}\n", result.top_k, 100 * result.top_k_accuracy(),
             result.top_k_correct, result.count);
  fmt::print("loss    {:.4f}\n", result.mean_loss);
  if (!options.compare_to.empty()) {
    fmt::print("agrees  {:.2f} %   {} of {} with {}\n", 100 * result.agreement(), result.agreeing,
               result.count, options.compare_to);
  }
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

void print_json(const Options& options, const Runner& runner, const Dataset& data, const Evaluation& result) {
  nlohmann::ordered_json json{
      {"model", options.model.path}, {"engine", runner.engine},         {"data", data.description()},
      {"count", result.count},       {"correct", result.correct},       {"top1", result.accuracy()},
      {"k", result.top_k},           {"topk", result.top_k_accuracy()}, {"loss", result.mean_loss}};
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

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options.model));
  ZP_ASSIGN_OR_RETURN(
      std::shared_ptr<const Dataset> data,
      load_data(options.data, options.on_train ? toolchain::Split::kTrain : toolchain::Split::kTest));
  ZP_ASSIGN_OR_RETURN(data, limited(data, options.limit));
  ZP_ASSIGN_OR_RETURN(Runner runner, make_runner(graph, options.engine, options.requantize, options.threads));
  toolchain::EvaluationOptions how;
  how.batch_size = options.batch;
  how.top_k = options.top_k;
  how.confusion = options.confusion;
  if (!options.compare_to.empty()) {
    ZP_ASSIGN_OR_RETURN(Graph other, load_model({options.compare_to, options.model.architecture}));
    ZP_ASSIGN_OR_RETURN(Runner other_runner,
                        make_runner(other, Engine::kAuto, options.requantize, options.threads));
    ZP_ASSIGN_OR_RETURN(Evaluation reference, evaluate_with_progress(other_runner, data, how, "reference"));
    how.reference_predictions = std::move(reference.predictions);
  }
  ZP_ASSIGN_OR_RETURN(Evaluation result, evaluate_with_progress(runner, data, how, "evaluating"));
  (options.json ? print_json : print_text)(options, runner, *data, result);
  return {};
}

}  // namespace

Action add_eval(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model);
  add_data_options(command, options->data);
  command.add_flag("--train", options->on_train,
                   "Evaluate on the training images instead of the test images");
  command.add_option("--limit", options->limit, "Only the first N images (0: all)")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--batch", options->batch, "Images per batch")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--top", options->top_k, "Also count labels among the K best")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_choice<Engine>(command, "--engine", options->engine,
                     {{"auto", Engine::kAuto}, {"float", Engine::kFloat}, {"integer", Engine::kInteger}},
                     "auto: quantized models in integers, others in float; float simulates the quantization");
  add_choice<RequantizeMode>(
      command, "--requantize", options->requantize,
      {{"float", RequantizeMode::kFloat}, {"fixed-point", RequantizeMode::kFixedPoint}},
      "How accumulators become integers again");
  command.add_option("--compare-to", options->compare_to,
                     "Another model: count how often both predict the same");
  command.add_flag("--per-class", options->per_class, "Print a table of the classes");
  command.add_flag("--confusion", options->confusion, "Print how often each class was taken for which");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint eval lenet.pt --data ~/mnist --per-class\n"
      "  zeropoint eval lenet.int8.onnx --compare-to lenet.pt\n"
      "  zeropoint eval lenet.int8.onnx --requantize fixed-point --json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
