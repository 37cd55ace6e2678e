#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "interrupt.h"
#include "verbs.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

struct Verb {
  const char* name;
  const char* what;
  Action (*add)(CLI::App&);
};

constexpr Verb kVerbs[] = {
    {"demo", "Quantize a LeNet end to end and print what was lost", add_demo},
    {"data", "Describe, show or download data", add_data},
    {"train", "Train a network in float", add_train},
    {"eval", "Measure accuracy, in float or in integers", add_eval},
    {"run", "Run a network on .npy arrays", add_run},
    {"profile", "Count parameters, multiply-adds, memory and size", add_profile},
    {"calibrate", "Gather statistics of a network on samples, and merge them", add_calibrate},
    {"quantize", "Quantize a trained network and write it as ONNX", add_quantize},
    {"recipe", "List and print the recipes that quantize follows", add_recipe},
    {"compile", "Turn a model into a program for the runtime (.zpm)", add_compile},
    {"bench", "Measure how fast a model runs, layer by layer", add_bench},
    {"cpu", "List the instruction sets of this machine, and which one runs", add_cpu},
    {"convert", "Write a model in another form or opset of ONNX", add_convert},
    {"tune", "Quantize to a target: no more than so much lost, at the lowest cost", add_tune},
    {"compare", "Say where a quantized network loses accuracy, and what helps", add_compare},
    {"inspect", "Print a network: nodes, quantization plan, parameters", add_inspect},
};

/// Every option of `app` by its long names: "--epochs".
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands({})) {
    names.push_back(subcommand->get_name());
  }
  return names;
}

int wrong_usage(const std::string& command, const std::string& message) {
  fmt::print(stderr, "{}: {}; see {} --help\n", command, message, command);
  return kWrongUsage;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  std::string guess = toolchain::nearest(word, candidates);
  return guess.empty() ? "" : fmt::format("; did you mean {}?", guess);
}

/// One line for a parse error, with the nearest option where one was misspelt.
int explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
  }
  std::string command = "zeropoint";
  for (const CLI::App* parent = &app; parent != deepest;) {
    parent = parent->get_subcommands().front();
    command += " " + parent->get_name();
  }
  std::vector<std::string> unknown = deepest->remaining();
  if (!unknown.empty()) {
    const std::string& word = unknown.front();
    bool is_option = word.rfind('-', 0) == 0;
    std::string name = word.substr(0, word.find('='));
    return wrong_usage(command, is_option ? fmt::format("unknown option {}{}", name,
                                                        did_you_mean(name, option_names(*deepest)))
                                          : fmt::format("unexpected argument '{}'{}", word,
                                                        did_you_mean(word, subcommand_names(*deepest))));
  }
  return wrong_usage(command, error.what());
}

int run(int argc, char** argv) {
  CLI::App app("Linear quantization of neural networks, exact and end to end.", "zeropoint");
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C. `zeropoint VERB --help` has "
      "examples.");
  app.set_version_flag("--version", "zeropoint 0.1.0");
  app.require_subcommand(1);
  std::map<const CLI::App*, Action> actions;
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) {
    CLI::App* command = app.add_subcommand(verb.name, verb.what);
    command->get_formatter()->column_width(34);
    actions[command] = verb.add(*command);
    names.emplace_back(verb.name);
  }
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    return wrong_usage("zeropoint",
                       fmt::format("unknown verb '{}'{}", argv[1], did_you_mean(argv[1], names)));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return explain(app, error);
  }
  Status status = actions.at(app.get_subcommands().front())();
  if (!status.ok()) {
    std::fflush(stdout);
    fmt::print(stderr, "zeropoint: {}\n", status.message());
    return interrupted() ? kInterruptedExit : kFailed;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "zeropoint: the output could not be written in full\n");
    return kFailed;
  }
  return 0;
}

}  // namespace
}  // namespace zeropoint::cli

int main(int argc, char** argv) {
  try {
    return zeropoint::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "zeropoint: not enough memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "zeropoint: {}\n", error.what());
  }
  return zeropoint::cli::kFailed;
}
