#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "choice.h"
#include "contender.h"
#include "stopwatch.h"
#include "verbs.h"

namespace zeropoint::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string compare;
  ContenderOptions how;
  double seconds = 1;
  bool layers = false;
  bool json = false;
};

/// What was measured of one model.
struct Measured {
  const Contender& contender;
  const Timing& timing;
  const std::optional<Peak>& peak;  ///< of one core
  int threads;

  [[nodiscard]] double multiply_adds_per_second() const {
    return static_cast<double>(contender.multiply_adds) / (timing.median() * 1e-3);
  }
  /// Of the multiply-adds that as many cores could do.
  [[nodiscard]] double share_of_peak(double multiply_adds_per_second, bool in_float) const {
    double most = peak ? (in_float ? peak->float32 : peak->int8) * threads : 0;
    return most > 0 ? multiply_adds_per_second / most : 0;
  }
};

void print_text(const Measured& m) {
  const Contender& c = m.contender;
  fmt::print("model    {} ({})\n", c.path, c.engine);
  fmt::print("time     {:.4g} ms median, {:.4g} least, {:.4g} p99; {} runs, batch {}, {} threads\n",
             m.timing.median(), m.timing.least(), m.timing.quantile(0.99), m.timing.runs.size(), c.samples,
             m.threads);
  fmt::print("speed    {:.4g} samples per second", 1000 * static_cast<double>(c.samples) / m.timing.median());
  if (c.multiply_adds > 0) {
    double speed = m.multiply_adds_per_second();
    fmt::print("; {:.4g} M multiply-adds a run, {:.1f} G per second, {:.0f} % of the measured peak",
               static_cast<double>(c.multiply_adds) * 1e-6, speed * 1e-9,
               100 * m.share_of_peak(speed, c.in_float));
  }
  fmt::print("\nload     {:.4g} ms from the file to the first result\n", c.load_ms);
  if (c.isa) {
    fmt::print("memory   {:.1f} KiB of activations (at least {:.1f}), {:.1f} KiB of prepared weights\n",
               static_cast<double>(c.memory.activations) / 1024,
               static_cast<double>(c.memory.activations_least) / 1024,
               static_cast<double>(c.memory.weights) / 1024);
  }
}

/// Of its quickest run: a mean would show what else the machine did.
double milliseconds_of(const StepProfile& step) { return static_cast<double>(step.least_nanoseconds) * 1e-6; }

double total_of(const std::vector<StepProfile>& steps) {
  return std::accumulate(steps.begin(), steps.end(), 0.0,
                         [](double sum, const StepProfile& step) { return sum + milliseconds_of(step); });
}

double speed_of(const StepProfile& step) {
  double ms = milliseconds_of(step);
  return ms > 0 ? static_cast<double>(step.multiply_adds) / (ms * 1e-3) : 0;
}

void print_layers(const Measured& m, const std::vector<StepProfile>& steps) {
  double total = total_of(steps);
  fmt::print("\n{:>9} {:>6} {:>9} {:>6}  {:<28} {:<36} {}\n", "ms", "share", "M mul-add", "peak", "operation",
             "kernel", "makes");
  for (const StepProfile& step : steps) {
    double ms = milliseconds_of(step);
    std::string adds =
        step.multiply_adds == 0 ? "" : fmt::format("{:.3f}", static_cast<double>(step.multiply_adds) * 1e-6);
    std::string peak = step.multiply_adds == 0
                           ? ""
                           : fmt::format("{:.0f} %", 100 * m.share_of_peak(speed_of(step), step.in_float));
    fmt::print("{:>9.4f} {:>4.1f} % {:>9} {:>6}  {:<28} {:<36} {}{}\n", ms, 100 * ms / std::max(total, 1e-9),
               adds, peak, step.operation, step.kernel, step.name, step.in_float ? " (float)" : "");
  }
  fmt::print("{:>9.4f} all steps\n", total);
}

nlohmann::ordered_json as_json(const Measured& m) {
  const Contender& c = m.contender;
  nlohmann::ordered_json json{{"model", c.path},
                              {"engine", c.engine},
                              {"threads", m.threads},
                              {"batch", c.samples},
                              {"runs", m.timing.runs.size()},
                              {"median_ms", m.timing.median()},
                              {"least_ms", m.timing.least()},
                              {"p99_ms", m.timing.quantile(0.99)},
                              {"load_ms", c.load_ms},
                              {"multiply_adds", c.multiply_adds}};
  if (c.multiply_adds > 0 && m.peak) {
    json["share_of_peak"] = m.share_of_peak(m.multiply_adds_per_second(), c.in_float);
  }
  if (c.isa) {
    json["instruction_set"] = name_of(*c.isa);
    json["memory"] = {{"activations", c.memory.activations},
                      {"activations_least", c.memory.activations_least},
                      {"weights", c.memory.weights},
                      {"moves", c.memory.moves}};
  }
  return json;
}

nlohmann::ordered_json as_json(const Measured& m, const std::vector<StepProfile>& steps) {
  auto list = nlohmann::ordered_json::array();
  for (const StepProfile& step : steps) {
    list.push_back({{"makes", step.name},
                    {"operation", step.operation},
                    {"kernel", step.kernel},
                    {"in_float", step.in_float},
                    {"multiply_adds", step.multiply_adds},
                    {"ms", milliseconds_of(step)},
                    {"share_of_peak", m.share_of_peak(speed_of(step), step.in_float)}});
  }
  return list;
}

/// The most memory that this process has had, in KiB.
std::int64_t most_memory() {
  struct rusage usage {};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

Status report(const Options& options, const std::vector<Contender>& contenders,
              const std::vector<Timing>& timings) {
  Result<Isa> isa = choose_isa();
  std::optional<Peak> peak;
  if (isa.ok()) {
    ZP_ASSIGN_OR_RETURN(peak, measure_peak(*isa));
  }
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    Measured measured{contenders[i], timings[i], peak, options.how.threads};
    nlohmann::ordered_json one = as_json(measured);
    if (!options.json) {
      fmt::print("{}", i == 0 ? "" : "\n");
      print_text(measured);
    }
    if (options.layers && contenders[i].profile) {
      ZP_ASSIGN_OR_RETURN(std::vector<StepProfile> steps, contenders[i].profile(options.seconds));
      one["layers"] = as_json(measured, steps);
      if (!options.json) {
        print_layers(measured, steps);
      }
    }
    json["models"].push_back(std::move(one));
  }
  std::int64_t memory = most_memory();
  json["process_kib"] = memory;
  if (timings.size() == 2) {
    json["ratio"] = ratio_of(timings[1], timings[0]);
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(1));
    return {};
  }
  if (timings.size() == 2) {
    double ratio = ratio_of(timings[1], timings[0]);
    fmt::print("\nratio    {} is {:.3g} times as quick as {}: median of {} runs in turn\n",
               contenders[0].path, ratio, contenders[1].path, timings[0].runs.size());
  }
  fmt::print("process  {:.1f} MiB at most\n", static_cast<double>(memory) / 1024);
  return {};
}

Status run(const Options& options) {
  std::vector<Contender> contenders;
  ZP_ASSIGN_OR_RETURN(Contender first, make_contender(options.model, options.how));
  contenders.push_back(std::move(first));
  if (!options.compare.empty()) {
    ZP_ASSIGN_OR_RETURN(Contender second,
                        make_contender({options.compare, options.model.architecture}, options.how));
    contenders.push_back(std::move(second));
  }
  std::vector<std::function<Status()>> jobs;
  for (const Contender& contender : contenders) {
    jobs.push_back(contender.run);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<Timing> timings, measure_in_turn(jobs, options.seconds));
  return report(options, contenders, timings);
}

}  // namespace

Action add_bench(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model, true);
  command.add_option("--compare", options->compare,
                     "Another model, run in turn with the first: a float one beside its quantized form");
  add_choice<BenchEngine>(
      command, "--engine", options->how.engine,
      {{"auto", BenchEngine::kAuto}, {"runtime", BenchEngine::kRuntime}, {"float", BenchEngine::kFloat}},
      "auto: quantized models and programs in the runtime, float models in oneDNN (float)");
  add_choice<RequantizeMode>(
      command, "--requantize", options->how.requantize,
      {{"float", RequantizeMode::kFloat}, {"fixed-point", RequantizeMode::kFixedPoint}},
      "How accumulators become integers again");
  command.add_option("--threads", options->how.threads, "Threads that compute a run together")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--batch", options->how.batch, "Samples of a run, where the model leaves it open")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--shape", options->how.shapes, "NAME=1x3x224x224: the shape of an input");
  command.add_option("--min-seconds", options->seconds, "Measure each model for at least so long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--layers", options->layers, "Also what each step takes, in a run of its own");
  command.add_flag("--json", options->json, "Print JSON");
  command.footer(
      "Examples:\n"
      "  zeropoint bench resnet.zpm --layers\n"
      "  zeropoint bench resnet.int8.onnx --compare resnet.onnx --threads 2\n"
      "  zeropoint bench bert.zpm --shape ids=1x128 --shape mask=1x128\n"
      "  ZEROPOINT_ISA=avx2 zeropoint bench lenet.zpm --batch 64");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
