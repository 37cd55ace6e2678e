#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "arrays.h"
#include "assignment.h"
#include "choice.h"
#include "inputs.h"
#include "model_runner.h"
#include "network.h"
#include "verbs.h"
#include "zeropoint/toolchain/convert_elements.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using toolchain::NamedTensors;
using toolchain::ValueId;

struct Options {
  ModelOptions model;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string output_folder;
  Engine engine = Engine::kAuto;
  RequantizeMode requantize = RequantizeMode::kFloat;
  bool json = false;
  int threads = 0;
};

std::vector<std::string> names_of(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<std::string> names;
  for (ValueId id : values) {
    names.push_back(graph.value(id).name);
  }
  return names;
}

/// The tensors of the graph's inputs, in its order and of its types.
Result<std::vector<Tensor>> read_inputs(const Graph& graph, const Options& options) {
  std::vector<std::string> names = names_of(graph, graph.inputs);
  std::vector<std::optional<Tensor>> given(names.size());
  for (const std::string& text : options.inputs) {
    ZP_ASSIGN_OR_RETURN(Assignment input, parse_assignment(text, names, "input"));
    if (given[input.index]) {
      return Status::invalid_argument(fmt::format("input '{}' is given twice", names[input.index]));
    }
    ZP_ASSIGN_OR_RETURN(Tensor tensor, read_array(input.file));
    ElementType type = graph.value(graph.inputs[input.index]).type;
    Result<Tensor> typed = toolchain::converted(tensor, type);
    ZP_RETURN_IF_ERROR(typed.status().at(fmt::format("{}: input '{}'", input.file, names[input.index])));
    given[input.index] = *std::move(typed);
  }
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) {
      const toolchain::Value& value = graph.value(graph.inputs[i]);
      return Status::invalid_argument(
          fmt::format("input '{0}' is missing: --input {0}=FILE.npy, {1} {2}", names[i], name_of(value.type),
                      value.dims ? toolchain::to_string(*value.dims) : "of any shape"));
    }
    inputs.push_back(*std::move(given[i]));
  }
  return inputs;
}

/// A file name for a tensor, whose name may hold anything.
std::string file_name_of(const std::string& name) {
  std::string file = name.empty() ? "output" : name;
  std::replace_if(
      file.begin(), file.end(),
      [](unsigned char c) { return c < 0x21 || c == 0x7f || c == '/' || c == '\\' || c == ':'; }, '_');
  file[0] = file[0] == '.' ? '_' : file[0];
  return file + ".npy";
}

/// Which file each output goes to, known before anything is computed; empty: none.
Result<std::vector<std::string>> output_files(const std::vector<std::string>& names, const Options& options) {
  std::vector<std::string> files(names.size());
  if (!options.output_folder.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.output_folder, error);
    if (error) {
      return Status::io(
          fmt::format("{}: cannot make the folder: {}", options.output_folder, error.message()));
    }
    std::map<std::string, std::string> owners;
    for (std::size_t i = 0; i < names.size(); ++i) {
      files[i] = options.output_folder + "/" + file_name_of(names[i]);
      auto [owner, is_new] = owners.emplace(files[i], names[i]);
      if (!is_new) {
        return Status::invalid_argument(
            fmt::format("outputs '{}' and '{}' would both be written to {}; use --output", owner->second,
                        names[i], files[i]));
      }
    }
  }
  for (const std::string& text : options.outputs) {
    ZP_ASSIGN_OR_RETURN(Assignment output, parse_assignment(text, names, "output"));
    files[output.index] = output.file;
  }
  return files;
}

void print_tensor(const char* what, const std::string& name, const Tensor& tensor, const std::string& note) {
  fmt::print("{:<7} {}  {} {}{}\n", what, name, name_of(tensor.type()), to_string(tensor.shape()), note);
}

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(Network network, load_network(options.model));
  const Graph& graph = network.graph;
  std::vector<std::string> names = names_of(graph, graph.outputs);
  ZP_ASSIGN_OR_RETURN(std::vector<std::string> files, output_files(names, options));
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> inputs, read_inputs(graph, options));
  ZP_ASSIGN_OR_RETURN(Session session,
                      make_session(network, options.engine, options.requantize, options.threads));
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, session.run(inputs));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!files[i].empty()) {
      ZP_RETURN_IF_ERROR(toolchain::write_npy(files[i], outputs[i]));
    }
  }
  if (options.json) {
    nlohmann::ordered_json json{{"model", options.model.path}, {"engine", session.engine}};
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      json["outputs"].push_back({{"name", names[i]},
                                 {"type", name_of(outputs[i].type())},
                                 {"shape", outputs[i].shape()},
                                 {"file", files[i]}});
    }
    fmt::print("{}\n", json.dump(1));
    return {};
  }
  fmt::print("model   {} ({})\n", options.model.path, session.engine);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    print_tensor("input", graph.value(graph.inputs[i]).name, inputs[i], "");
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    print_tensor("output", names[i], outputs[i], files[i].empty() ? "" : " -> " + files[i]);
  }
  return {};
}

}  // namespace

Action add_run(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model, true);
  command.add_option("--input", options->inputs,
                     "NAME=FILE.npy or NAME=FILE.npz:ARRAY, for each input; FILE alone where there is one");
  command.add_option("--output", options->outputs, "NAME=FILE.npy: write this output");
  command.add_option("--output-dir", options->output_folder, "Write every output there as NAME.npy");
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
  add_run_options(command, options->threads, options->json);
  command.footer(
      "A model for batches of one size takes any number of samples: they are run in such batches.\n"
      "Examples:\n"
      "  zeropoint run lenet.int8.onnx --input images.npy --output-dir out\n"
      "  zeropoint run bert.onnx --input ids=ids.npy --input mask=mask.npy --output logits=logits.npy");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
