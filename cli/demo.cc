#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "inputs.h"
#include "model_runner.h"
#include "plan_metadata.h"
#include "train_with_progress.h"
#include "verbs.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/profile.h"
#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Evaluation;
using toolchain::Graph;

struct Options {
  DataOptions data;
  std::string model;
  std::string folder;
  std::int64_t samples = 256;
  bool json = false;
  int threads = 0;
};

/// What the demo quantizes to: one row of the table each.
struct Variant {
  const char* name;
  int weight_bits;
  int activation_bits;
  RequantizeMode mode;
  const char* what;
};
constexpr Variant kVariants[] = {
    {"w8a8", 8, 8, RequantizeMode::kFloat, "8-bit weights, 8-bit activations"},
    {"w8a8", 8, 8, RequantizeMode::kFixedPoint, "the same, fixed-point requantization"},
    {"w4a8", 4, 8, RequantizeMode::kFloat, "4-bit weights, 8-bit activations"},
    {"w4a4", 4, 4, RequantizeMode::kFloat, "4-bit weights, 4-bit activations"},
    {"w2a8", 2, 8, RequantizeMode::kFloat, "2-bit weights, 8-bit activations"},
};

struct Row {
  std::string what;
  Evaluation result;
  std::int64_t bytes = 0;
};

struct Network {
  Graph graph;
  std::string origin;
};

/// The model that was named, else lenet/model.pt of the data folder, else one trained here and now.
Result<Network> load_or_train(const Options& options, const std::shared_ptr<const Dataset>& train,
                              const std::shared_ptr<const Dataset>& test) {
  std::string folder = options.data.folder.empty() ? data_folder_from_environment() : options.data.folder;
  std::string path = options.model;
  if (path.empty() && !options.data.synthetic && !folder.empty() &&
      std::filesystem::exists(folder + "/lenet/model.pt")) {
    path = folder + "/lenet/model.pt";
  }
  if (!path.empty()) {
    ZP_ASSIGN_OR_RETURN(Graph graph, load_model({path, "lenet"}));
    return Network{std::move(graph), path};
  }
  ZP_ASSIGN_OR_RETURN(Graph graph, toolchain::make_architecture("lenet", {.seed = 1}));
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<toolchain::Optimizer> optimizer,
                      toolchain::make_sgd({.momentum = 0.9}));
  toolchain::TrainerOptions training;
  training.epochs = 3;
  training.seed = 1;
  training.threads = options.threads;
  ZP_ASSIGN_OR_RETURN(toolchain::TrainingResult result,
                      train_with_progress(graph, train, test, *optimizer, training, !options.json));
  return Network{std::move(result.best), fmt::format("trained here, {} epochs of SGD", training.epochs)};
}

Result<Row> quantize_and_evaluate(toolchain::NetworkQuantizer& quantizer, const Variant& variant,
                                  const std::shared_ptr<const Dataset>& test, const Row& reference,
                                  const toolchain::Profile& profile, const Options& options) {
  toolchain::Recipe recipe;
  recipe.weights.bits = variant.weight_bits;
  recipe.activations.bits = variant.activation_bits;
  ZP_ASSIGN_OR_RETURN(toolchain::QuantizedNetwork network, quantizer.quantize(recipe));
  if (!options.folder.empty()) {
    attach_plan(network.graph, network.plan);
    ZP_RETURN_IF_ERROR(
        toolchain::write_onnx(network.graph, fmt::format("{}/lenet.{}.onnx", options.folder, variant.name)));
  }
  ZP_ASSIGN_OR_RETURN(Runner runner,
                      make_runner(network.graph, Engine::kInteger, variant.mode, options.threads));
  toolchain::EvaluationOptions how;
  how.reference_predictions = reference.result.predictions;
  ZP_ASSIGN_OR_RETURN(Evaluation result, evaluate_with_progress(runner, {&test, 1}, how, variant.what));
  return Row{variant.what, std::move(result), profile.model_bytes(variant.weight_bits)};
}

void print_table(const std::vector<Row>& rows) {
  const Row& reference = rows.front();
  fmt::print("\n{:<38} {:>9} {:>8} {:>10} {:>11} {:>9}\n", "", "top-1", "lost", "agreement", "parameters",
             "smaller");
  for (const Row& row : rows) {
    bool is_float = &row == &reference;
    auto kib = static_cast<double>(row.bytes) / 1024;
    fmt::print(
        "{:<38} {:>7.2f} % {:>8} {:>10} {:>7.1f} KiB {:>8.2f}x\n", row.what, 100 * row.result.accuracy(),
        is_float ? "" : fmt::format("{:.2f}", 100 * (reference.result.accuracy() - row.result.accuracy())),
        is_float ? "" : fmt::format("{:.2f} %", 100 * row.result.agreement()), kib,
        static_cast<double>(reference.bytes) / static_cast<double>(row.bytes));
  }
}

void print_json(const std::vector<Row>& rows, const Network& network, const Dataset& test, double seconds) {
  nlohmann::ordered_json json{{"model", network.origin}, {"data", test.description()}, {"seconds", seconds}};
  for (const Row& row : rows) {
    json["rows"].push_back({{"what", row.what},
                            {"count", row.result.count},
                            {"correct", row.result.correct},
                            {"top1", row.result.accuracy()},
                            {"agreement", &row == &rows.front() ? 1.0 : row.result.agreement()},
                            {"bytes", row.bytes}});
  }
  fmt::print("{}\n", json.dump(1));
}

Result<toolchain::Evidence> calibrate(const Graph& graph, const std::shared_ptr<const Dataset>& train,
                                      const Options& options) {
  toolchain::Evidence evidence;
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> some, limited(train, options.samples));
  evidence.data = {std::move(some)};
  evidence.calibration.threads = options.threads;
  ZP_ASSIGN_OR_RETURN(evidence.statistics,
                      toolchain::gather_statistics(graph, evidence.data, evidence.calibration));
  return evidence;
}

Status run(const Options& options) {
  auto start = std::chrono::steady_clock::now();
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> train,
                      load_data(options.data, toolchain::Split::kTrain));
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> test, load_data(options.data, toolchain::Split::kTest));
  if (!options.folder.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.folder, error);
    if (error) {
      return Status::io(fmt::format("{}: cannot make the folder: {}", options.folder, error.message()));
    }
  }
  if (!options.json) {
    fmt::print("data        {}\n            {}\n", train->description(), test->description());
    std::fflush(stdout);
  }
  ZP_ASSIGN_OR_RETURN(Network network, load_or_train(options, train, test));
  ZP_ASSIGN_OR_RETURN(toolchain::Profile profile, toolchain::profile(network.graph));
  ZP_ASSIGN_OR_RETURN(toolchain::PreparedNetwork prepared, toolchain::prepare_network(network.graph));
  ZP_ASSIGN_OR_RETURN(toolchain::Evidence evidence, calibrate(prepared.graph, train, options));
  if (!options.json) {
    fmt::print("model       LeNet, {}\n", network.origin);
    fmt::print("            {} parameters, {} multiply-adds, {:.2f} MiB as float32\n", profile.parameters,
               profile.multiply_adds, static_cast<double>(profile.model_bytes(32)) / (1024 * 1024));
    fmt::print(
        "calibrated  {} on {} training images; weights per output channel; integers from input to last sum\n",
        evidence.method.name(), evidence.statistics.samples());
    std::fflush(stdout);
  }
  std::vector<Row> rows;
  {
    ZP_ASSIGN_OR_RETURN(Runner runner,
                        make_runner(network.graph, Engine::kFloat, RequantizeMode::kFloat, options.threads));
    ZP_ASSIGN_OR_RETURN(Evaluation result, evaluate_with_progress(runner, {&test, 1}, {}, "float32"));
    rows.push_back({"float32", std::move(result), profile.model_bytes(32)});
  }
  toolchain::NetworkQuantizer quantizer(std::move(prepared.graph), std::move(evidence));
  for (const Variant& variant : kVariants) {
    ZP_ASSIGN_OR_RETURN(Row row,
                        quantize_and_evaluate(quantizer, variant, test, rows.front(), profile, options));
    rows.push_back(std::move(row));
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.json) {
    print_json(rows, network, *test, seconds);
    return {};
  }
  print_table(rows);
  fmt::print("\n{:.1f} s", seconds);
  fmt::print("{}\n", options.folder.empty() ? "" : "; models are in " + options.folder);
  return {};
}

}  // namespace

Action add_demo(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_data_options(command, options->data);
  command.add_option(
      "--model", options->model,
      "A LeNet to quantize (default: lenet/model.pt of the data folder; without one, a LeNet is trained)");
  command.add_option("--samples", options->samples, "Training images to calibrate on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("-o,--output", options->folder, "Also write the quantized models into this folder");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint demo\n"
      "  zeropoint demo --synthetic\n"
      "  zeropoint demo --data ~/mnist --model lenet.pt -o models");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
