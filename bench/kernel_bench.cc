// Layers as the runtime runs them, and beside each oneDNN's int8 primitive of the same shape, on one thread.
// Google Benchmark lets them take turns with --benchmark_enable_random_interleaving=true, as `./dev bench`
// does. "peak" is the share of the multiply-adds that this core does in registers alone. $ZEROPOINT_ISA
// forces an instruction set on ours; ONEDNN_MAX_CPU_ISA does on theirs.

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "onednn_int8.h"
#include "zeropoint/cpu.h"
#include "zeropoint/session.h"

namespace zeropoint::bench {
namespace {

Tensor random_bytes(ElementType type, Shape shape) {
  std::mt19937 random(1);
  Tensor tensor(type, std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.bytes()[i] = static_cast<std::byte>(random() & 0xff);
  }
  return tensor;
}

LinearLayer linear_layer(Shape weights) {
  auto channels = static_cast<std::size_t>(weights[0]);
  LinearLayer layer;
  layer.weights = random_bytes(ElementType::kInt8, std::move(weights));
  layer.folded_bias.assign(channels, 100);
  layer.requantization = Requantization{std::vector<float>(channels, 0.001F), 3, {0, 255}};
  return layer;
}

Program convolution(const Layer& layer) {
  Program program;
  program.name = "convolution";
  program.tensors = {
      {"x", ElementType::kUint8, Shape{1, layer.in_channels, layer.height, layer.width}},
      {"y", ElementType::kUint8, Shape{1, layer.out_channels, layer.out_height(), layer.out_width()}}};
  Window window{
      {layer.stride, layer.stride}, {1, 1}, {1, 1}, {layer.pad(), layer.pad()}, {layer.pad(), layer.pad()}};
  program.operations = {ConvOp{
      0, 1, linear_layer({layer.out_channels, layer.in_channels / layer.group, layer.kernel, layer.kernel}),
      window, layer.group, 7}};
  program.inputs = {0};
  program.outputs = {1};
  return program;
}

Program product(std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  Program program;
  program.name = "product";
  program.tensors = {{"x", ElementType::kUint8, Shape{rows, depth}},
                     {"y", ElementType::kUint8, Shape{rows, columns}}};
  program.operations = {FullyConnectedOp{0, 1, linear_layer({columns, depth})}};
  program.inputs = {0};
  program.outputs = {1};
  return program;
}

/// The step of the program that multiplies, measured by the session: what turns the image over is not the
/// kernel's.
void run_ours(benchmark::State& state, Program program) {
  Tensor input = random_bytes(ElementType::kUint8, *program.tensors[0].shape);
  Tensor output(ElementType::kUint8, *program.tensors[1].shape);
  Result<Session> session =
      Session::create(std::make_shared<const Program>(std::move(program)), {.profile = true});
  Status status = session.status();
  if (status.ok()) {
    status = session->prepare(std::span(&input.shape(), 1));
  }
  std::span<const std::byte> from(input.bytes(), input.byte_size());
  std::span<std::byte> to(output.bytes(), output.byte_size());
  std::int64_t before = 0;
  std::string kernel;
  while (status.ok() && state.KeepRunning()) {
    status = session->run(std::span(&from, 1), std::span(&to, 1));
    std::int64_t multiplied = 0;
    for (const StepProfile& step : session->profile()) {
      if (step.multiply_adds > 0) {
        multiplied += step.nanoseconds;
        kernel = step.kernel;
      }
    }
    state.SetIterationTime(static_cast<double>(multiplied - before) * 1e-9);
    before = multiplied;
  }
  if (!status.ok()) {
    state.SkipWithError(status.message().c_str());
  }
  state.SetLabel(kernel);
}

void run_theirs(benchmark::State& state, const std::function<void()>& run) {
  run();
  while (state.KeepRunning()) {
    auto start = std::chrono::steady_clock::now();
    run();
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}

void count(benchmark::State& state, std::int64_t multiply_adds) {
  static const double kPeak = [] {
    Result<Isa> isa = choose_isa();
    Result<Peak> peak = isa.ok() ? measure_peak(*isa) : Result<Peak>(isa.status());
    return peak.ok() ? peak->int8 : 0;
  }();
  auto all = static_cast<double>(multiply_adds) * static_cast<double>(state.iterations());
  state.counters["G/s"] = benchmark::Counter(all * 1e-9, benchmark::Counter::kIsRate);
  state.counters["peak"] = benchmark::Counter(kPeak > 0 ? all / kPeak : 0, benchmark::Counter::kIsRate);
}

void compare_products(const std::string& name, std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  std::int64_t multiply_adds = rows * depth * columns;
  benchmark::RegisterBenchmark((name + "/zeropoint").c_str(),
                               [=](benchmark::State& state) {
                                 run_ours(state, product(rows, depth, columns));
                                 count(state, multiply_adds);
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark((name + "/onednn").c_str(),
                               [=](benchmark::State& state) {
                                 run_theirs(state, onednn_product(rows, depth, columns));
                                 count(state, multiply_adds);
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void compare_convolutions(const std::string& name, const Layer& layer) {
  benchmark::RegisterBenchmark((name + "/zeropoint").c_str(),
                               [=](benchmark::State& state) {
                                 run_ours(state, convolution(layer));
                                 count(state, layer.multiply_adds());
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark((name + "/onednn").c_str(),
                               [=](benchmark::State& state) {
                                 run_theirs(state, onednn_convolution(layer));
                                 count(state, layer.multiply_adds());
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void register_all() {
  compare_products("matrix 1024x1024x1024", 1024, 1024, 1024);
  compare_products("matrix 128x3072x768", 128, 3072, 768);
  compare_products("matrix 128x768x768", 128, 768, 768);
  compare_convolutions("conv 3x3, 64 to 64 at 56", {64, 64, 56, 56, 3});
  compare_convolutions("conv 1x1, 256 to 64 at 56", {256, 64, 56, 56, 1});
  compare_convolutions("conv 3x3, 512 to 512 at 7", {512, 512, 7, 7, 3});
  compare_convolutions("conv 7x7/2, 3 to 64 at 224", {3, 64, 224, 224, 7, 2});
  compare_convolutions("depthwise 3x3, 144 at 56", {144, 144, 56, 56, 3, 1, 144});
  compare_convolutions("depthwise 3x3, 576 at 14", {576, 576, 14, 14, 3, 1, 576});
}

}  // namespace
}  // namespace zeropoint::bench

int main(int argc, char** argv) {
  zeropoint::bench::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
