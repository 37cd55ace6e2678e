// zeropoint_model_table: one table of networks, each run here in integers and in float, and by ONNX Runtime
// where $ORTBENCH or the PATH has its `ortbench` program. The programs take turns, round by round, so that
// what the machine does beside falls on all alike; a ratio is the median over the rounds. Weights decide the
// speed and not what they were trained for, so calibration takes random inputs.
//
// usage: zeropoint_model_table PROGRAM WORK_FOLDER [MODEL_FOLDER...]
//   PROGRAM        the zeropoint to measure
//   WORK_FOLDER    quantized models are kept here, and made where they are missing
//   MODEL_FOLDER   where further .onnx models lie; $ZEROPOINT_DATA is always looked at
// $ZEROPOINT_BENCH_ROUNDS (5) and $ZEROPOINT_BENCH_SECONDS (0.5) of each program in a round.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/toolchain/npy.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;

/// A network of the table; `file` is looked for in the model folders.
struct Network {
  const char* name;
  const char* file;
  std::vector<std::int64_t> batches;
};

const std::vector<Network>& networks() {
  static const std::vector<Network> kNetworks{
      {"LeNet", "lenet/model.pt", {1, 64}},
      {"DS-CNN KWS", "models/dscnn_kws.onnx", {1}},
      {"ResNet-20 CIFAR", "models/resnet20_cifar10.onnx", {1}},
      {"MobileNetV1 0.25", "models/mobilenetv1_0.25.onnx", {1}},
      {"SqueezeNet 1.1", "models/squeezenet1.1.onnx", {1}},
      {"MobileNetV2", "mobilenetv2_fp32.onnx", {1}},
      {"ResNet-50", "resnet50_fp32.onnx", {1}},
      {"BERT-base 128", "bert_fp32.onnx", {1}},
  };
  return kNetworks;
}

std::string in_quotes(const std::string& text) {
  std::string safe = "'";
  for (char c : text) {
    safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return safe + "'";
}

/// What a command prints; none when it fails.
std::optional<std::string> output_of(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), got);
  }
  return ::pclose(pipe) == 0 ? std::optional(text) : std::nullopt;
}

double number_from(const char* variable, double otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtod(text, nullptr);
}

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

class Bench {
 public:
  Bench(std::string program, fs::path work, std::vector<fs::path> folders)
      : program_(std::move(program)), work_(std::move(work)), folders_(std::move(folders)) {
    const char* named = std::getenv("ORTBENCH");
    std::optional<std::string> found = output_of("command -v ortbench");
    ortbench_ = named != nullptr ? named : found.value_or("");
    ortbench_.erase(ortbench_.find_last_not_of('\n') + 1);
  }

  int run() {
    fs::create_directories(work_);
    fmt::print(
        "| network, batch | threads | int8, ms | float (oneDNN), ms | ORT float, ms | ORT int8, ms | times "
        "ORT's "
        "best |\n|---|---|---|---|---|---|---|\n");
    if (ortbench_.empty()) {
      fmt::print(stderr, "ONNX Runtime is not measured: set ORTBENCH to its ortbench program\n");
    }
    int rows = 0;
    for (const Network& network : networks()) {
      std::optional<fs::path> model = find(network.file);
      if (!model || !prepare(network, *model)) {
        fmt::print(stderr, "{}: {}\n", network.name, model ? "cannot be quantized" : "no file");
        continue;
      }
      for (std::int64_t batch : network.batches) {
        for (int threads : {1, 2}) {
          row(network, batch, threads);
          ++rows;
        }
      }
    }
    return rows == 0 ? 1 : 0;
  }

 private:
  [[nodiscard]] std::optional<fs::path> find(const std::string& file) const {
    for (const fs::path& folder : folders_) {
      if (fs::exists(folder / file)) {
        return folder / file;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] fs::path made(const Network& network, const char* ending) const {
    std::string stem = network.name;
    std::replace(stem.begin(), stem.end(), ' ', '_');
    return work_ / (stem + ending);
  }

  /// The float model as ONNX, its quantized form and that one's program, unless they are there.
  bool prepare(const Network& network, const fs::path& model) {
    fs::path real = made(network, ".onnx");
    fs::path quantized = made(network, ".int8.onnx");
    fs::path program = made(network, ".zpm");
    auto run = [&](const std::string& arguments) {
      return output_of(in_quotes(program_) + " " + arguments).has_value();
    };
    if (!fs::exists(real) && !run("convert " + in_quotes(model) + " " + in_quotes(real))) {
      return false;
    }
    if (!fs::exists(quantized)) {
      std::optional<std::string> data = random_data(real);
      if (!data || !run("quantize " + in_quotes(real) + " -o " + in_quotes(quantized) + *data)) {
        return false;
      }
    }
    return run("compile " + in_quotes(quantized) + " -o " + in_quotes(program));
  }

  /// Options that name 4 random samples of each input.
  [[nodiscard]] std::optional<std::string> random_data(const fs::path& model) const {
    Result<Graph> graph = read_onnx(model);
    if (!graph.ok()) {
      return std::nullopt;
    }
    Random random(1);
    std::string options;
    for (ValueId id : graph->inputs) {
      const Value& value = graph->value(id);
      if (!value.dims) {
        return std::nullopt;
      }
      Shape shape = shape_of(*value.dims, 4);
      shape[0] = 4;
      Tensor samples(value.type, shape);
      if (value.type == ElementType::kFloat32) {
        for (float& element : samples.data<float>()) {
          element = static_cast<float>(random.uniform(-1, 1));
        }
      }
      fs::path file = work_ / fmt::format("input{}.npy", options.empty() ? 0 : 1);
      if (!write_npy(file, samples).ok()) {
        return std::nullopt;
      }
      options += options.empty() ? " --data " + in_quotes(file)
                                 : " --input " + in_quotes(value.name + "=" + file.string());
    }
    return options;
  }

  /// Median milliseconds of our program; 0 when it fails.
  [[nodiscard]] double ours(const fs::path& model, std::int64_t batch, int threads) const {
    std::optional<std::string> text =
        output_of(fmt::format("{} bench {} --json --batch {} --threads {} --min-seconds {}",
                              in_quotes(program_), in_quotes(model), batch, threads, seconds_));
    nlohmann::json json = nlohmann::json::parse(text.value_or(""), nullptr, false);
    return json.is_discarded() ? 0 : json["models"][0]["median_ms"].get<double>();
  }

  /// "... | median 0.043 ms ..."
  [[nodiscard]] double theirs(const fs::path& model, std::int64_t batch, int threads) const {
    if (ortbench_.empty()) {
      return 0;
    }
    std::optional<std::string> text =
        output_of(fmt::format("{} {} --threads {} --batch {} --iters 20 --min-seconds {} --int-max 1",
                              in_quotes(ortbench_), in_quotes(model), threads, batch, seconds_));
    std::size_t at = text ? text->find("median ") : std::string::npos;
    return at == std::string::npos ? 0 : std::strtod(text->c_str() + at + 7, nullptr);
  }

  void row(const Network& network, std::int64_t batch, int threads) const {
    std::vector<double> times[4];
    std::vector<double> ratios;
    for (int round = 0; round < rounds_; ++round) {
      double ms[] = {ours(made(network, ".zpm"), batch, threads),
                     ours(made(network, ".onnx"), batch, threads),
                     theirs(made(network, ".onnx"), batch, threads),
                     theirs(made(network, ".int8.onnx"), batch, threads)};
      for (int i = 0; i < 4; ++i) {
        times[i].push_back(ms[i]);
      }
      double best = ms[2] > 0 && ms[3] > 0 ? std::min(ms[2], ms[3]) : std::max(ms[2], ms[3]);
      ratios.push_back(ms[0] > 0 ? best / ms[0] : 0);
    }
    auto cell = [](double ms) { return ms > 0 ? fmt::format("{:.4g}", ms) : std::string("-"); };
    double ratio = median(ratios);
    fmt::print("| {}, {} | {} | {} | {} | {} | {} | {} |\n", network.name, batch, threads,
               cell(median(times[0])), cell(median(times[1])), cell(median(times[2])), cell(median(times[3])),
               ratio > 0 ? fmt::format("{:.2f}", ratio) : "-");
    std::fflush(stdout);
  }

  std::string program_;
  fs::path work_;
  std::vector<fs::path> folders_;
  std::string ortbench_;
  int rounds_ = static_cast<int>(number_from("ZEROPOINT_BENCH_ROUNDS", 5));
  double seconds_ = number_from("ZEROPOINT_BENCH_SECONDS", 0.5);
};

}  // namespace
}  // namespace zeropoint::toolchain

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: zeropoint_model_table PROGRAM WORK_FOLDER [MODEL_FOLDER...]\n");
    return 2;
  }
  std::vector<std::filesystem::path> folders(argv + 3, argv + argc);
  if (const char* data = std::getenv("ZEROPOINT_DATA"); data != nullptr && *data != '\0') {
    folders.emplace_back(data);
  }
  return zeropoint::toolchain::Bench(argv[1], argv[2], std::move(folders)).run();
}
