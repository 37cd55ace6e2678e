#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "choice.h"
#include "inputs.h"
#include "train_with_progress.h"
#include "verbs.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Graph;
using toolchain::Optimizer;
using toolchain::TrainingResult;

enum class Rule { kSgd, kAdam };

struct Options {
  std::string architecture = "lenet";
  std::string initial;
  DataOptions data;
  std::int64_t limit = 0;
  toolchain::TrainerOptions training;
  Rule rule = Rule::kSgd;
  double momentum = 0.5;
  double weight_decay = 0;
  bool nesterov = false;
  std::string output;
  bool keep_last = false;
  bool json = false;
};

Result<std::unique_ptr<Optimizer>> make_optimizer(const Options& options) {
  if (options.rule == Rule::kAdam) {
    return toolchain::make_adam({.weight_decay = options.weight_decay});
  }
  return toolchain::make_sgd(
      {.momentum = options.momentum, .weight_decay = options.weight_decay, .nesterov = options.nesterov});
}

Result<Graph> initial_graph(const Options& options) {
  if (!options.initial.empty()) {
    return load_model({options.initial, options.architecture});
  }
  return toolchain::make_architecture(options.architecture, {.seed = options.training.seed});
}

Status write_model(const Graph& graph, const std::string& path) {
  bool onnx = path.size() > 5 && path.compare(path.size() - 5, 5, ".onnx") == 0;
  return onnx ? toolchain::write_onnx(graph, path)
              : toolchain::write_state_dict(path, toolchain::parameters_of(graph));
}

void print_json(const Options& options, const Dataset& data, const Optimizer& optimizer,
                const TrainingResult& result) {
  nlohmann::ordered_json json{{"data", data.description()},
                              {"optimizer", optimizer.text()},
                              {"schedule", options.training.schedule.text()},
                              {"best_epoch", result.best_epoch},
                              {"best_accuracy", result.best_accuracy},
                              {"epochs", nlohmann::ordered_json::array()}};
  for (const toolchain::EpochReport& epoch : result.epochs) {
    json["epochs"].push_back({{"epoch", epoch.training.epoch},
                              {"loss", epoch.training.mean_loss},
                              {"train_accuracy", epoch.training.accuracy},
                              {"test_accuracy", epoch.validation ? epoch.validation->accuracy() : 0.0},
                              {"learning_rate", epoch.training.learning_rate},
                              {"seconds", epoch.training.seconds}});
  }
  fmt::print("{}\n", json.dump(1));
}

Status run(Options options) {
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer, make_optimizer(options));
  ZP_ASSIGN_OR_RETURN(Graph graph, initial_graph(options));
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> data, load_data(options.data, toolchain::Split::kTrain));
  ZP_ASSIGN_OR_RETURN(data, limited(data, options.limit));
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> test, load_data(options.data, toolchain::Split::kTest));
  if (!options.json) {
    fmt::print("data   {}\ntest   {}\nmodel  {}\noptimizer {}, rate {}, {}\n", data->description(),
               test->description(),
               options.initial.empty() ? options.architecture + ", fresh weights" : options.initial,
               optimizer->text(), options.training.learning_rate, options.training.schedule.text());
  }
  ZP_ASSIGN_OR_RETURN(TrainingResult result,
                      train_with_progress(graph, data, test, *optimizer, options.training, !options.json));
  if (!options.output.empty()) {
    ZP_RETURN_IF_ERROR(write_model(options.keep_last ? result.last : result.best, options.output));
  }
  if (options.json) {
    print_json(options, *data, *optimizer, result);
    return {};
  }
  fmt::print("best   {:.2f} % in epoch {}\n", 100 * result.best_accuracy, result.best_epoch);
  if (!options.output.empty()) {
    fmt::print("wrote  {}\n", options.output);
  }
  return {};
}

void add_schedule_option(CLI::App& command, toolchain::Schedule& schedule) {
  auto parse = [&schedule](const std::string& text) {
    Result<toolchain::Schedule> parsed = toolchain::parse_schedule(text);
    if (!parsed.ok()) {
      std::string guess =
          toolchain::nearest(text.substr(0, text.find(':')), {"constant", "step", "cosine", "onecycle"});
      bool misspelt = !guess.empty() && text.rfind(guess, 0) != 0;
      throw CLI::ValidationError(
          "--schedule", misspelt ? fmt::format("unknown schedule '{}'; did you mean {}?", text, guess)
                                 : parsed.status().message());
    }
    schedule = *std::move(parsed);
  };
  command
      .add_option_function<std::string>("--schedule", parse,
                                        "How the rate changes: constant, step:size=2,gamma=0.5, cosine, "
                                        "onecycle:max=0.1; each takes per=step or per=epoch")
      ->default_str(schedule.text());
}

void add_training_options(CLI::App& command, Options& options) {
  toolchain::TrainerOptions& training = options.training;
  command.add_option("--epochs", training.epochs, "Passes over the training images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--batch", training.batch_size, "Images per step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_choice<Rule>(command, "--optimizer", options.rule, {{"sgd", Rule::kSgd}, {"adam", Rule::kAdam}},
                   "The rule of each step");
  command.add_option("--lr", training.learning_rate, "Learning rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--momentum", options.momentum, "Momentum of sgd")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--weight-decay", options.weight_decay, "L2 weight decay")
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--nesterov", options.nesterov, "Nesterov momentum");
  add_schedule_option(command, training.schedule);
  command.add_option("--seed", training.seed, "Seed of the weights and of the order of the images")
      ->capture_default_str();
  command.add_option("--checkpoint", training.last_checkpoint,
                     "Write the state of the training here after each epoch");
  command.add_option("--best-checkpoint", training.best_checkpoint,
                     "And here after each epoch that is the best so far");
  command.add_option("--resume", training.resume, "Continue from a checkpoint");
}

}  // namespace

Action add_train(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_choice(command, "--arch", options->architecture, toolchain::architecture_names(), "The network");
  command.add_option("--from", options->initial,
                     "Start from the weights of this model instead of fresh ones");
  add_data_options(command, options->data);
  command.add_option("--limit", options->limit, "Only the first N training images (0: all)")
      ->check(CLI::NonNegativeNumber);
  add_training_options(command, *options);
  command.add_option("-o,--output", options->output, "Write the best weights: .pt (state dict) or .onnx");
  command.add_flag("--keep-last", options->keep_last,
                   "Write the weights of the last epoch instead of the best");
  add_run_options(command, options->training.threads, options->json);
  command.footer(
      "Examples:\n"
      "  zeropoint train --data ~/mnist -o lenet.pt\n"
      "  zeropoint train --optimizer adam --lr 0.001 --schedule cosine --epochs 10 -o lenet.pt\n"
      "  zeropoint train --checkpoint last.pt; zeropoint train --epochs 10 --resume last.pt");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
