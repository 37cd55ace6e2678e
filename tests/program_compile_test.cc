// Compiled programs in the hands of a user: compile, run, eval, inspect, bench, cpu.

#include <nlohmann/json.hpp>

#include "run_program.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint {
namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ProgramCompile : public ProgramTest {
 protected:
  void SetUp() override {
    (void)succeed("train --synthetic --limit 600 --epochs 1 --optimizer adam --lr 0.003 -o m.pt");
    (void)succeed("quantize m.pt --synthetic --weight-bits 4 -o m.onnx");
  }
  [[nodiscard]] json succeed_json(const std::string& arguments) const {
    return json::parse(succeed(arguments + " --json"), nullptr, false);
  }
};

TEST_F(ProgramCompile, ProgramsRunAsTheirModelsDo) {
  json compiled = succeed_json("compile m.onnx -o m.zpm");
  EXPECT_EQ(compiled["float_nodes"].size(), 0U);
  EXPECT_EQ(compiled["operations"].size(), 10U);
  EXPECT_EQ(compiled["operations"][1]["weight_bits"], 4);
  EXPECT_LT(compiled["operations"][1]["accumulator"]["most"].get<std::int64_t>(), 1 << 20);
  EXPECT_LT(compiled["bytes"].get<int>(), 32000);  // 44 thousand parameters of half a byte
  EXPECT_EQ(std::filesystem::file_size(path("m.zpm")), compiled["bytes"].get<std::size_t>());

  json graph = succeed_json("eval m.onnx --synthetic --limit 500");
  json program = succeed_json("eval m.zpm --synthetic --limit 500 --compare-to m.onnx");
  EXPECT_EQ(program["engine"], "program in integers");
  EXPECT_EQ(program["correct"], graph["correct"]);
  EXPECT_EQ(program["loss"], graph["loss"]);
  EXPECT_EQ(program["agreement"], 1.0);

  Tensor images(ElementType::kFloat32, {3, 1, 28, 28});
  for (std::int64_t i = 0; i < images.size(); ++i) {
    images.data<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i % 17) / 8 - 1;
  }
  ASSERT_TRUE(toolchain::write_npy(path("x.npy"), images).ok());
  (void)succeed("run m.onnx --input x.npy --output a.npy");
  (void)succeed("run m.zpm --input x.npy --output b.npy");
  EXPECT_EQ(content_of(path("a.npy")), content_of(path("b.npy")));
}

TEST_F(ProgramCompile, FloatModelsAndFixedPointCompileToo) {
  EXPECT_TRUE(contains(succeed("compile m.pt -o f.zpm"), "in float32: the model is not quantized"));
  json real = succeed_json("eval f.zpm --synthetic --limit 100 --compare-to m.pt");
  EXPECT_EQ(real["agreement"], 1.0);
  (void)succeed("compile m.onnx -o fixed.zpm --requantize fixed-point");
  json fixed = succeed_json("eval fixed.zpm --synthetic --limit 200");
  json graph = succeed_json("eval m.onnx --synthetic --limit 200 --requantize fixed-point");
  EXPECT_EQ(fixed["correct"], graph["correct"]);
  EXPECT_EQ(fixed["loss"], graph["loss"]);
}

TEST_F(ProgramCompile, InspectShowsOperationsAndHowFarSumsGo) {
  std::string text = succeed("compile m.onnx -o m.zpm --operations");
  EXPECT_TRUE(contains(text, "sums     of 5 layers are proven to fit")) << text;
  EXPECT_TRUE(contains(text, "Conv 5x5"));
  std::string inspected = succeed("inspect m.zpm");
  EXPECT_TRUE(contains(inspected, "input    input float32 [N, 1, 28, 28]")) << inspected;
  EXPECT_TRUE(contains(inspected, "30720 x 4 bit")) << inspected;
  EXPECT_TRUE(contains(inspected, "of int32")) << inspected;
  EXPECT_EQ(succeed_json("inspect m.zpm")["operations"].size(), 10U);
}

TEST_F(ProgramCompile, WhatProgramsCannotDoIsSaid) {
  (void)succeed("compile m.onnx -o m.zpm");
  EXPECT_TRUE(contains(fail(1, "eval m.zpm --synthetic --engine float"), "no float32 form"));
  EXPECT_TRUE(contains(fail(1, "eval m.zpm --synthetic --requantize fixed-point"), "when it was compiled"));
  EXPECT_TRUE(
      contains(fail(1, "quantize m.zpm --synthetic -o q.onnx"), "give the model that it was compiled from"));
  EXPECT_TRUE(contains(fail(1, "inspect m.zpm --plan"), "no graph, plan or parameters"));
  std::string whole = content_of(path("m.zpm"));
  std::ofstream(path("cut.zpm"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_TRUE(contains(fail(1, "eval cut.zpm --synthetic"), "cut.zpm: the file is cut off"));
  std::string none = fail(1, "compile m.onnx -o no/such/folder.zpm");
  EXPECT_TRUE(contains(none, "no/such/folder.zpm")) << none;
}

TEST_F(ProgramCompile, BenchMeasuresWhatItSays) {
  json measured = succeed_json("bench m.onnx --compare m.pt --layers --min-seconds 0.05 --batch 2");
  ASSERT_EQ(measured["models"].size(), 2U);
  const json& integers = measured["models"][0];
  EXPECT_EQ(integers["batch"], 2);
  EXPECT_GE(integers["runs"].get<int>(), 5);
  EXPECT_LE(integers["least_ms"].get<double>(), integers["median_ms"].get<double>());
  EXPECT_LE(integers["median_ms"].get<double>(), integers["p99_ms"].get<double>());
  EXPECT_GT(integers["load_ms"].get<double>(), 0);
  // 24*24*25*6 + 8*8*150*16 + 256*120 + 120*84 + 84*10, for two samples
  EXPECT_EQ(integers["multiply_adds"], 2 * (86400 + 153600 + 30720 + 10080 + 840));
  EXPECT_EQ(integers["multiply_adds"], measured["models"][1]["multiply_adds"]);
  std::int64_t of_layers = 0;
  for (const json& layer : integers["layers"]) {
    of_layers += layer["multiply_adds"].get<std::int64_t>();
  }
  EXPECT_EQ(of_layers, integers["multiply_adds"].get<std::int64_t>());
  EXPECT_GT(measured["ratio"].get<double>(), 0);
  EXPECT_TRUE(contains(fail(1, "bench m.onnx --shape inptu=1x1x28x28"), "did you mean input?"));
  EXPECT_TRUE(contains(succeed("bench m.onnx --layers --min-seconds 0.05"), "of the measured peak"));
}

TEST_F(ProgramTest, CpuListsInstructionSets) {
  json sets = json::parse(succeed("cpu --json"), nullptr, false)["instruction_sets"];
  int chosen = 0;
  for (const json& set : sets) {
    chosen += set["chosen"].get<bool>() ? 1 : 0;
    EXPECT_EQ(set.contains("peak"), set["compiled"].get<bool>() && set["supported"].get<bool>());
  }
  EXPECT_EQ(chosen, 1);
  ::setenv("ZEROPOINT_ISA", "sse9", 1);
  Outcome outcome = run("cpu");
  ::unsetenv("ZEROPOINT_ISA");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(contains(outcome.err, "'sse9', which is no instruction set")) << outcome.err;
}

}  // namespace
}  // namespace zeropoint
