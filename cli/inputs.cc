#include "inputs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <fstream>
#include <span>

#include "choice.h"
#include "zeropoint/program_file.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/qdq.h"
#include "zeropoint/toolchain/state_dict.h"
#include "zeropoint/toolchain/synthetic_digits.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Graph;
using toolchain::Split;

constexpr std::int64_t kSyntheticTrain = 10000;
constexpr std::int64_t kSyntheticTest = 2000;

bool is_zip(std::span<const std::byte> content) {
  return content.size() >= 4 && content[0] == std::byte{'P'} && content[1] == std::byte{'K'};
}

/// The pickle that torch.save wrote before PyTorch 1.6 begins so; read_checkpoint() knows what to say about
/// it.
bool is_pickle(std::span<const std::byte> content) {
  return content.size() >= 2 && content[0] == std::byte{0x80} && content[1] <= std::byte{5};
}

/// The first bytes of a file, as many as tell what it holds; fewer where it has fewer, or cannot be read.
std::vector<std::byte> start_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kProgramFileStart> start{};
  file.read(start.data(), start.size());
  auto content = std::as_bytes(std::span(start)).first(static_cast<std::size_t>(file.gcount()));
  return {content.begin(), content.end()};
}

Result<Graph> read_parameters(std::span<const std::byte> content, const ModelOptions& options) {
  ZP_ASSIGN_OR_RETURN(toolchain::CheckpointValue checkpoint,
                      toolchain::read_checkpoint(content, options.path));
  ZP_ASSIGN_OR_RETURN(toolchain::StateDict tensors,
                      toolchain::to_state_dict(std::move(checkpoint), options.path));
  ZP_ASSIGN_OR_RETURN(Graph graph, toolchain::make_architecture(options.architecture));
  ZP_RETURN_IF_ERROR(toolchain::load_parameters(graph, tensors).at(options.path));
  return graph;
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options, bool programs) {
  command
      .add_option("model", options.path,
                  programs ? "An .onnx model, a state dict of torch.save (.pt), or a compiled program (.zpm)"
                           : "An .onnx model, or a state dict of torch.save (.pt)")
      ->required();
  add_choice(command, "--arch", options.architecture, toolchain::architecture_names(),
             "The architecture that a state dict's tensors belong to");
}

bool is_program(const std::string& path) { return is_program_file(start_of(path)); }

Result<Graph> read_model(const ModelOptions& options) {
  std::vector<std::byte> start = start_of(options.path);
  if (is_program_file(start)) {
    return Status::invalid_argument(options.path +
                                    ": a compiled program; give the model that it was compiled from");
  }
  if (is_zip(start) || is_pickle(start)) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, toolchain::read_file(options.path));
    return read_parameters(content, options);
  }
  Result<Graph> graph = toolchain::read_onnx(options.path);
  if (!graph.ok() && graph.status().message() == options.path + ": not an ONNX model") {
    return Status::corrupt(options.path + ": neither an ONNX model nor a state dict of torch.save");
  }
  return graph;
}

Result<Graph> load_model(const ModelOptions& options) {
  ZP_ASSIGN_OR_RETURN(Graph graph, read_model(options));
  Result<Graph> qdq = toolchain::to_qdq(graph);
  return qdq.ok() ? std::move(qdq) : qdq.status().at(options.path);
}

std::string data_folder_from_environment() {
  const char* folder = std::getenv("ZEROPOINT_DATA");
  return folder == nullptr ? "" : folder;
}

void add_data_options(CLI::App& command, DataOptions& options) {
  command.add_option(
      "--data", options.folder,
      "Folder with MNIST's IDX files (default: $ZEROPOINT_DATA; without either, embedded digits)");
  command.add_flag("--synthetic", options.synthetic, "Use the embedded, procedurally drawn digits");
  command.add_option("--digits-seed", options.seed, "Seed of the embedded digits")->capture_default_str();
}

void add_run_options(CLI::App& command, int& threads, bool& json) {
  command.add_option("--threads", threads, "Threads (0: all cores)")->check(CLI::Range(0, 1024));
  command.add_flag("--json", json, "Print JSON");
}

Result<std::shared_ptr<const Dataset>> load_data(const DataOptions& options, Split split) {
  std::string folder = options.folder.empty() ? data_folder_from_environment() : options.folder;
  std::unique_ptr<Dataset> data;
  if (options.synthetic || folder.empty()) {
    bool train = split == Split::kTrain;
    ZP_ASSIGN_OR_RETURN(data, toolchain::make_synthetic_digits(train ? kSyntheticTrain : kSyntheticTest,
                                                               2 * options.seed + (train ? 0 : 1)));
  } else {
    ZP_ASSIGN_OR_RETURN(data, toolchain::load_mnist(folder, split));
  }
  return std::shared_ptr<const Dataset>(std::move(data));
}

Result<std::shared_ptr<const Dataset>> limited(std::shared_ptr<const Dataset> data, std::int64_t count) {
  if (count == 0 || count >= data->size()) {
    return data;
  }
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> first, toolchain::first_samples(std::move(data), count));
  return std::shared_ptr<const Dataset>(std::move(first));
}

}  // namespace zeropoint::cli
