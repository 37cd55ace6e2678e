// What a quantized network computes survives its ONNX file bit for bit.

#include <gtest/gtest.h>

#include <cstdio>

#include "compile/random_networks_for_test.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

Graph through_a_file(const Graph& graph) {
  std::string path = temporary_path_for_test("model.onnx");
  EXPECT_TRUE(write_onnx(graph, path).ok());
  Result<Graph> read = read_onnx(path);
  std::remove(path.c_str());
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() ? *read : Graph{};
}

std::vector<Tensor> outputs_of(const Graph& graph, RequantizeMode mode, const Tensor& input) {
  Result<Lowering> lowered = lower(graph, mode);
  EXPECT_TRUE(lowered.ok()) << lowered.status().message();
  if (!lowered.ok()) {
    return {};
  }
  Result<std::vector<Tensor>> outputs = run_reference(lowered->program, std::span(&input, 1));
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? *outputs : std::vector<Tensor>{};
}

void expect_same(const Graph& graph, const Tensor& input) {
  Graph read = through_a_file(graph);
  EXPECT_EQ(print(read), print(graph));
  for (RequantizeMode mode : {RequantizeMode::kFloat, RequantizeMode::kFixedPoint}) {
    std::vector<Tensor> before = outputs_of(graph, mode, input);
    ASSERT_FALSE(before.empty());
    EXPECT_EQ(outputs_of(read, mode, input), before);
  }
}

TEST(OnnxRoundTrip, AQuantizedLeNetComputesTheSameBits) {
  Graph real = *make_architecture("lenet", {.seed = 3});
  Random random(1);
  Tensor input = oracle::random_tensor({2, 1, 28, 28}, random);
  RangeTable ranges = random_networks::ranges_of(real, input);
  for (int bits : {8, 4}) {
    Recipe recipe;
    recipe.activations.bits = bits;
    recipe.weights.bits = bits;
    recipe.output = bits == 8 ? Recipe::Output::kAccumulator : Recipe::Output::kQuantized;
    expect_same(*apply_plan(real, *make_plan(real, ranges, recipe)), input);
  }
}

TEST(OnnxRoundTrip, RandomQuantizedNetworksComputeTheSameBits) {
  for (std::uint64_t seed = 10000; seed < 10100; ++seed) {
    SCOPED_TRACE(seed);
    Result<random_networks::Quantized> network = random_networks::random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    expect_same(network->graph, network->input);
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
