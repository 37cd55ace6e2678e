#include "zeropoint/toolchain/calibrate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "calibration.h"
#include "inputs.h"
#include "interrupt.h"
#include "verbs.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using toolchain::Statistics;

struct Options {
  ModelOptions model;
  CalibrationSamples samples;
  std::vector<std::string> merge;
  std::string output;
  bool keep = false;
  bool json = false;
  int threads = 0;
};

struct Outcome {
  Statistics statistics;
  std::int64_t wanted = 0;  ///< samples that there would have been
};

Result<Outcome> gather(const Options& options) {
  if (options.model.path.empty()) {
    return Status::invalid_argument("name a model to calibrate, or files to --merge");
  }
  ZP_ASSIGN_OR_RETURN(Graph graph, load_model(options.model));
  Result<toolchain::PreparedNetwork> prepared = toolchain::prepare_network(std::move(graph), options.keep);
  ZP_RETURN_IF_ERROR(prepared.status().at(options.model.path));
  ZP_ASSIGN_OR_RETURN(LoadedSamples samples, load_calibration_samples(options.samples, prepared->graph));
  toolchain::CalibrationOptions how;
  how.threads = options.threads;
  ZP_ASSIGN_OR_RETURN(Statistics statistics, gather_with_progress(prepared->graph, samples, how));
  return Outcome{std::move(statistics), samples.data[0]->size()};
}

Result<Outcome> merge(const Options& options) {
  if (!options.model.path.empty()) {
    return Status::invalid_argument("--merge takes files of statistics alone, and no model");
  }
  ZP_ASSIGN_OR_RETURN(Statistics all, read_statistics(options.merge[0]));
  for (std::size_t i = 1; i < options.merge.size(); ++i) {
    ZP_ASSIGN_OR_RETURN(Statistics next, read_statistics(options.merge[i]));
    ZP_RETURN_IF_ERROR(all.merge(next).at(fmt::format("{} and {}", options.merge[0], options.merge[i])));
  }
  std::int64_t samples = all.samples();
  return Outcome{std::move(all), samples};
}

Status run(const Options& options) {
  StopOnInterrupt stop;
  Result<Outcome> outcome = options.merge.empty() ? gather(options) : merge(options);
  ZP_RETURN_IF_ERROR(outcome.status());
  const Statistics& statistics = outcome->statistics;
  ZP_RETURN_IF_ERROR(toolchain::write_file(options.output, toolchain::to_json(statistics)));
  if (options.json) {
    nlohmann::ordered_json json{{"output", options.output},
                                {"samples", statistics.samples()},
                                {"wanted", outcome->wanted},
                                {"tensors", statistics.tensors.size()},
                                {"data", statistics.data()}};
    fmt::print("{}\n", json.dump(1));
  } else {
    fmt::print("{} samples: {}\n", statistics.samples(), statistics.data());
    fmt::print("wrote statistics of {} tensors to {}\n", statistics.tensors.size(), options.output);
  }
  if (statistics.samples() < outcome->wanted) {
    return Status(StatusCode::kIo, fmt::format("stopped after {} of {} samples, which {} has",
                                               statistics.samples(), outcome->wanted, options.output));
  }
  return {};
}

}  // namespace

Action add_calibrate(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model);
  command.get_option("model")->required(false);
  command.add_option("-o,--output", options->output, "The statistics, JSON")->required();
  options->samples.add(command);
  command.add_option("--shard", options->samples.shard,
                     "I/N: only part I of N parts of the samples, to calibrate in N processes");
  command.add_option("--merge", options->merge,
                     "Join files of statistics instead, in the order of their samples");
  command.add_flag("--keep", options->keep, "As `quantize --keep`, for statistics that go with it");
  add_run_options(command, options->threads, options->json);
  command.footer(
      "Ctrl-C stops after the samples at hand and writes what there is; twice, it ends at once.\n"
      "Examples:\n"
      "  zeropoint calibrate resnet.onnx --data imagenet/train --samples 1000 -o resnet.stats.json\n"
      "  zeropoint quantize resnet.onnx -o resnet.int8.onnx --statistics resnet.stats.json --calibrator mse\n"
      "  zeropoint calibrate resnet.onnx --data imagenet/train --shard 1/2 -o a.json\n"
      "  zeropoint calibrate resnet.onnx --data imagenet/train --shard 2/2 -o b.json\n"
      "  zeropoint calibrate --merge a.json b.json -o resnet.stats.json");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
