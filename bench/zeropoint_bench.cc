#include <benchmark/benchmark.h>

#include <memory>
#include <utility>

#include "zeropoint/affine_tensor.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/calibrate.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/loader.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/quantize.h"
#include "zeropoint/toolchain/random.h"
#include "zeropoint/toolchain/synthetic_digits.h"

namespace zeropoint::toolchain {
namespace {

Tensor random_tensor(Shape shape) {
  Tensor tensor(ElementType::kFloat32, std::move(shape));
  Random random(1);
  for (float& element : tensor.data<float>()) {
    element = static_cast<float>(random.uniform(-1, 1));
  }
  return tensor;
}

/// The value, or the end of the benchmark with the reason.
template <typename T>
T* require(benchmark::State& state, Result<T>& result) {
  if (!result.ok()) {
    state.SkipWithError(result.status().message().c_str());
    return nullptr;
  }
  return &*result;
}

TensorParams weight_params(benchmark::State& state, const Tensor& tensor) {
  Granularity granularity = state.range(0) != 0 ? Granularity::per_channel(0) : Granularity::per_tensor();
  return *choose_params(tensor, granularity, {}, {Scheme::kSymmetric, RangeRule::kContainZero, 0});
}

void BM_QuantizeTensor(benchmark::State& state) {
  Tensor real = random_tensor({64, 64, 3, 3});
  TensorParams params = weight_params(state, real);
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(quantize(real, params, QuantizedType{}));
  }
  state.SetItemsProcessed(state.iterations() * real.size());
}
BENCHMARK(BM_QuantizeTensor)->ArgName("per_channel")->Arg(0)->Arg(1);

void BM_DequantizeTensor(benchmark::State& state) {
  Tensor real = random_tensor({64, 64, 3, 3});
  TensorParams params = weight_params(state, real);
  Tensor integers = *quantize(real, params, QuantizedType{});
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(dequantize(integers, params));
  }
  state.SetItemsProcessed(state.iterations() * real.size());
}
BENCHMARK(BM_DequantizeTensor)->ArgName("per_channel")->Arg(0)->Arg(1);

/// LeNet with random weights, quantized to 8 bits on synthetic digits.
Result<Program> integer_lenet(RequantizeMode mode) {
  ZP_ASSIGN_OR_RETURN(Graph graph, make_architecture("lenet"));
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> data, make_synthetic_digits(64, 1));
  ZP_ASSIGN_OR_RETURN(RangeTable ranges, calibrate(graph, data));
  ZP_ASSIGN_OR_RETURN(QuantPlan plan, make_plan(graph, ranges, {}));
  ZP_ASSIGN_OR_RETURN(Graph quantized, apply_plan(graph, plan));
  ZP_ASSIGN_OR_RETURN(Lowering lowering, lower(quantized, mode));
  return std::move(lowering.program);
}

void run_reference_lenet(benchmark::State& state, RequantizeMode mode) {
  Result<Program> program = integer_lenet(mode);
  if (require(state, program) == nullptr) {
    return;
  }
  Tensor input = random_tensor({state.range(0), 1, 28, 28});
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(run_reference(*program, std::span(&input, 1)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_ReferenceLeNet(benchmark::State& state) { run_reference_lenet(state, RequantizeMode::kFloat); }
BENCHMARK(BM_ReferenceLeNet)->ArgName("batch")->Arg(1)->Arg(64)->Unit(benchmark::kMicrosecond);

void BM_ReferenceLeNetFixedPoint(benchmark::State& state) {
  run_reference_lenet(state, RequantizeMode::kFixedPoint);
}
BENCHMARK(BM_ReferenceLeNetFixedPoint)->ArgName("batch")->Arg(1)->Arg(64)->Unit(benchmark::kMicrosecond);

void BM_FloatLeNet(benchmark::State& state) {
  Result<Graph> graph = make_architecture("lenet");
  Result<FloatExecutor> executor = FloatExecutor::create(*graph, {.threads = 1});
  if (require(state, executor) == nullptr) {
    return;
  }
  Tensor input = random_tensor({state.range(0), 1, 28, 28});
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(executor->run(input));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FloatLeNet)->ArgName("batch")->Arg(1)->Arg(64)->Unit(benchmark::kMicrosecond);

void BM_SyntheticDigits(benchmark::State& state) {
  constexpr std::int64_t kCount = 256;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(make_synthetic_digits(kCount, 1));
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(BM_SyntheticDigits)->Unit(benchmark::kMillisecond);

void BM_LoaderEpoch(benchmark::State& state) {
  Result<std::unique_ptr<Dataset>> digits = make_synthetic_digits(2048, 1);
  if (require(state, digits) == nullptr) {
    return;
  }
  std::shared_ptr<const Dataset> data = *std::move(digits);
  LoaderOptions options{.batch_size = 64, .shuffle = true, .prefetch = state.range(0)};
  Result<DataLoader> loader = DataLoader::make(data, options);
  std::int64_t number = 0;
  while (state.KeepRunning()) {
    Result<Epoch> epoch = loader->epoch(number++);
    for (auto batch = epoch->next(); batch.ok() && batch->has_value(); batch = epoch->next()) {
      benchmark::DoNotOptimize((*batch)->inputs.bytes());
    }
  }
  state.SetItemsProcessed(state.iterations() * data->size());
}
BENCHMARK(BM_LoaderEpoch)->ArgName("prefetch")->Arg(0)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace zeropoint::toolchain
