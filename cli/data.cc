#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "inputs.h"
#include "progress.h"
#include "verbs.h"
#include "zeropoint/toolchain/download.h"

namespace zeropoint::cli {
namespace {

using toolchain::Dataset;
using toolchain::Split;

struct Options {
  DataOptions data;
  bool download = false;
  std::vector<std::string> mirrors;
  std::int64_t show = -1;
  bool json = false;
};

Status download(const Options& options) {
  toolchain::DownloadOptions how;
  how.folder = options.data.folder;
  if (!options.mirrors.empty()) {
    how.mirrors = options.mirrors;
  }
  std::string current;
  std::unique_ptr<Progress> progress;
  how.progress = [&](const std::string& file, std::int64_t done, std::int64_t total) {
    if (file != current) {
      current = file;
      progress = std::make_unique<Progress>(file, "B");
    }
    progress->update(done, total);
  };
  return toolchain::download_mnist(how);
}

/// One sample as characters, dark to light.
Status show(const Dataset& data, std::int64_t index) {
  if (index >= data.size()) {
    return Status::invalid_argument(
        fmt::format("there is no sample {}; the data has {}", index, data.size()));
  }
  const Shape& shape = data.sample_shape();
  std::vector<float> pixels(static_cast<std::size_t>(*element_count(shape)));
  ZP_RETURN_IF_ERROR(data.read(index, pixels));
  auto [least, most] = std::minmax_element(pixels.begin(), pixels.end());
  constexpr std::string_view kShades = " .:-=+*#%@";
  float step = (*most - *least) / static_cast<float>(kShades.size() - 1);
  auto width = static_cast<std::size_t>(shape.back());
  fmt::print("sample {}, label {}\n", index, data.label(index));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    auto shade =
        step == 0 ? std::size_t{0} : static_cast<std::size_t>(std::lround((pixels[i] - *least) / step));
    fmt::print("{0}{0}{1}", kShades[shade], (i + 1) % width == 0 ? "\n" : "");
  }
  return {};
}

Status run(const Options& options, bool synthetic) {
  if (options.download) {
    ZP_RETURN_IF_ERROR(download(options));
  }
  DataOptions which = options.data;
  which.synthetic = synthetic;
  if (!synthetic && which.folder.empty() && data_folder_from_environment().empty()) {
    return Status::not_found("no folder for MNIST was named; use --data FOLDER, or set ZEROPOINT_DATA");
  }
  nlohmann::ordered_json json;
  for (Split split : {Split::kTrain, Split::kTest}) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> data, load_data(which, split));
    std::vector<std::int64_t> counts(static_cast<std::size_t>(data->classes()));
    for (std::int64_t i = 0; i < data->size(); ++i) {
      ++counts[static_cast<std::size_t>(data->label(i))];
    }
    if (options.json) {
      json.push_back({{"data", data->description()},
                      {"samples", data->size()},
                      {"shape", data->sample_shape()},
                      {"classes", data->class_names()},
                      {"counts", counts}});
      continue;
    }
    fmt::print("{}\n  {} samples of {}; per class", data->description(), data->size(),
               to_string(data->sample_shape()));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      fmt::print(" {}:{}", data->class_names()[i], counts[i]);
    }
    fmt::print("\n");
    if (split == Split::kTrain && options.show >= 0) {
      ZP_RETURN_IF_ERROR(show(*data, options.show));
    }
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(1));
  }
  return {};
}

}  // namespace

Action add_data(CLI::App& command) {
  auto options = std::make_shared<Options>();
  command.require_subcommand(1);
  CLI::App* mnist = command.add_subcommand("mnist", "The handwritten digits of MNIST");
  mnist->add_option("--data", options->data.folder, "Folder of the IDX files (default: $ZEROPOINT_DATA)");
  mnist
      ->add_flag("--download", options->download,
                 "Download what is missing into --data, checked and resumable (11.6 MB)")
      ->needs("--data");
  mnist->add_option("--mirror", options->mirrors,
                    "Download from this URL instead of the published mirrors (may repeat)");
  CLI::App* digits = command.add_subcommand("digits", "The embedded digits, drawn by a simulated pen");
  digits->add_option("--digits-seed", options->data.seed, "Seed")->capture_default_str();
  for (CLI::App* sub : {mnist, digits}) {
    sub->add_option("--show", options->show, "Print training sample N as text")
        ->check(CLI::NonNegativeNumber);
    sub->add_flag("--json", options->json, "Print JSON");
  }
  command.footer(
      "Examples:\n"
      "  zeropoint data mnist --download --data ~/mnist\n"
      "  zeropoint data mnist --data ~/mnist --show 0\n"
      "  zeropoint data digits --show 3");
  return [options, digits] { return run(*options, digits->parsed()); };
}

}  // namespace zeropoint::cli
