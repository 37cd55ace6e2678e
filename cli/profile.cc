#include "zeropoint/toolchain/profile.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "inputs.h"
#include "shape_text.h"
#include "verbs.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using toolchain::LayerProfile;
using toolchain::Profile;

constexpr int kWidths[] = {32, 16, 8, 7, 6, 5, 4, 3, 2};
constexpr double kMiB = 1024.0 * 1024.0;

struct Options {
  ModelOptions model;
  std::string shape;
  bool json = false;
};

std::string output_text(const LayerProfile& layer) { return layer.output ? to_string(*layer.output) : "?"; }

void print_text(const Options& options, const Profile& profile) {
  std::size_t names = 5;
  std::size_t shapes = 6;
  for (const LayerProfile& layer : profile.layers) {
    names = std::max(names, layer.name.size());
    shapes = std::max(shapes, output_text(layer).size());
  }
  fmt::print("{}\n\n{:<{}} {:<18} {:<{}} {:>11} {:>14} {:>14} {:>12}\n", options.model.path, "layer", names,
             "operator", "output", shapes, "parameters", "multiply-adds", "FLOPs", "activations");
  for (const LayerProfile& layer : profile.layers) {
    fmt::print("{:<{}} {:<18} {:<{}} {:>11} {:>14} {:>14} {:>12}\n", layer.name, names, name_of(layer.op),
               output_text(layer), shapes, layer.parameters, layer.multiply_adds, layer.flops,
               layer.activations);
  }
  fmt::print("{:<{}} {:>11} {:>14} {:>14} {:>12}\n\n", "total", names + shapes + 20, profile.parameters,
             profile.multiply_adds, profile.flops, profile.activations);
  fmt::print("activations alive at once: {} elements, {:.1f} KiB as float32, {:.1f} KiB as int8\n\n",
             profile.peak_activations, static_cast<double>(profile.peak_activations) * 4 / 1024,
             static_cast<double>(profile.peak_activations) / 1024);
  fmt::print("{:<12} {:>12} {:>12} {:>9}\n", "weight bits", "bytes", "MiB", "smaller");
  for (int bits : kWidths) {
    auto bytes = static_cast<double>(profile.model_bytes(bits));
    fmt::print("{:<12} {:>12} {:>12.4f} {:>8.2f}x\n", bits, profile.model_bytes(bits), bytes / kMiB,
               static_cast<double>(profile.model_bytes(32)) / bytes);
  }
  fmt::print("(below 32 bits: packed weights, int32 biases, one float32 scale per output channel)\n");
}

void print_json(const Options& options, const Profile& profile) {
  nlohmann::ordered_json json{{"model", options.model.path},
                              {"parameters", profile.parameters},
                              {"multiply_adds", profile.multiply_adds},
                              {"flops", profile.flops},
                              {"activations", profile.activations},
                              {"peak_activations", profile.peak_activations}};
  for (int bits : kWidths) {
    json["bytes"][std::to_string(bits)] = profile.model_bytes(bits);
  }
  for (const LayerProfile& layer : profile.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"operator", name_of(layer.op)},
                              {"output", layer.output ? nlohmann::json(*layer.output) : nlohmann::json()},
                              {"parameters", layer.parameters},
                              {"multiply_adds", layer.multiply_adds},
                              {"flops", layer.flops},
                              {"activations", layer.activations}});
  }
  fmt::print("{}\n", json.dump(1));
}

Status run(const Options& options) {
  Shape shape;
  if (!options.shape.empty()) {
    ZP_ASSIGN_OR_RETURN(shape, parse_shape(options.shape));
  }
  ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options.model));
  Result<Profile> profile = toolchain::profile(graph, shape);
  ZP_RETURN_IF_ERROR(profile.status().at(options.model.path));
  (options.json ? print_json : print_text)(options, *profile);
  return {};
}

}  // namespace

Action add_profile(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model);
  command.add_option("--shape", options->shape,
                     "Shape of the input with its batch, such as 1x1x28x28 (default: the model's, batch 1)");
  command.add_flag("--json", options->json, "Print JSON");
  command.footer(
      "Examples:\n"
      "  zeropoint profile lenet.pt\n"
      "  zeropoint profile model.onnx --shape 8x3x224x224 --json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
