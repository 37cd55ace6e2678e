// Programs of random graphs and of real models, written to files and read back.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "compile/random_graphs_for_test.h"
#include "compile/random_networks_for_test.h"
#include "zeropoint/program_file.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

/// The program of a file gives the same file again.
std::shared_ptr<const Program> written_and_read(const Program& program) {
  Result<std::vector<std::byte>> file = serialize(program);
  EXPECT_TRUE(file.ok()) << file.status().message();
  Result<std::shared_ptr<const Program>> read = parse_program(*file);
  EXPECT_TRUE(read.ok()) << read.status().message();
  if (!read.ok()) {
    return nullptr;
  }
  EXPECT_EQ(*serialize(**read), *file);
  return *read;
}

void expect_same_results(const Program& program, const Tensor& input) {
  std::shared_ptr<const Program> read = written_and_read(program);
  ASSERT_NE(read, nullptr);
  Result<std::vector<Tensor>> expected = run_reference(program, std::span(&input, 1));
  Result<std::vector<Tensor>> actual = run_reference(*read, std::span(&input, 1));
  ASSERT_TRUE(expected.ok()) << expected.status().message();
  ASSERT_TRUE(actual.ok()) << actual.status().message();
  EXPECT_EQ(*actual, *expected);
}

TEST(ProgramRoundTrip, RandomNetworks) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Result<random_networks::Quantized> network = random_networks::random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    RequantizeMode mode = seed % 2 == 0 ? RequantizeMode::kFloat : RequantizeMode::kFixedPoint;
    Result<Lowering> lowering = lower(network->graph, mode);
    ASSERT_TRUE(lowering.ok()) << lowering.status().message();
    expect_same_results(lowering->program, network->input);
  }
}

TEST(ProgramRoundTrip, RandomGraphsOfAllKindsOfNodes) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Result<random_graphs::QuantizedGraph> network = random_graphs::random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    Result<Lowering> lowering = lower(network->graph, RequantizeMode::kFloat);
    ASSERT_TRUE(lowering.ok()) << lowering.status().message();
    expect_same_results(lowering->program, network->input);
  }
}

TEST(ProgramRoundTrip, RealModels) {
  const char* data = std::getenv("ZEROPOINT_DATA");
  if (data == nullptr || !std::filesystem::exists(std::filesystem::path(data) / "models")) {
    GTEST_SKIP() << "no real models: set ZEROPOINT_DATA";
  }
  int models = 0;
  for (const char* folder : {"models", "models_quantized_by_ort"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(data) / folder)) {
      SCOPED_TRACE(entry.path().string());
      Result<Graph> graph = read_onnx(entry.path().string());
      ASSERT_TRUE(graph.ok()) << graph.status().message();
      Result<Lowering> lowering = lower(*graph, RequantizeMode::kFloat);
      ASSERT_TRUE(lowering.ok()) << lowering.status().message();
      EXPECT_NE(written_and_read(lowering->program), nullptr);
      ++models;
    }
  }
  EXPECT_GT(models, 0);
}

}  // namespace
}  // namespace zeropoint::toolchain
