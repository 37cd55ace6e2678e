// The way of a model through the program: train, evaluate, profile, quantize, inspect.

#include <nlohmann/json.hpp>

#include "run_program.h"

namespace zeropoint {
namespace {

using nlohmann::json;

class Program : public ProgramTest {
 protected:
  [[nodiscard]] json succeed_json(const std::string& arguments) const {
    std::string text = succeed(arguments + " --json");
    return json::parse(text, nullptr, false);
  }
  void train_small() const {
    (void)succeed("train --synthetic --limit 3000 --epochs 1 --optimizer adam --lr 0.003 -o m.pt");
  }
};

TEST_F(Program, EveryVerbHasHelpWithExamples) {
  EXPECT_NE(succeed("--help").find("quantize"), std::string::npos);
  for (const char* verb : {"demo", "data", "train", "eval", "profile", "quantize", "convert", "inspect",
                           "compare", "tune", "compile", "bench", "cpu"}) {
    std::string help = succeed(std::string(verb) + " --help");
    EXPECT_NE(help.find("Examples:\n  zeropoint " + std::string(verb)), std::string::npos) << verb;
  }
}

TEST_F(Program, TrainsQuantizesAndEvaluates) {
  train_small();
  EXPECT_EQ(files(), std::vector<std::string>{"m.pt"});
  json real = succeed_json("eval m.pt --synthetic");
  EXPECT_GT(real["top1"].get<double>(), 0.5);
  EXPECT_EQ(real["count"], 2000);
  EXPECT_EQ(real["data"], "synthetic digits, 2000 images, seed 3");

  json quantized = succeed_json("quantize m.pt --synthetic -o m.onnx --plan-out plan.json");
  EXPECT_EQ(quantized["plan"]["decisions"].size(), 18u);
  EXPECT_EQ(json::parse(content_of(path("plan.json"))), quantized["plan"]);
  json integer = succeed_json("eval m.onnx --synthetic --compare-to m.pt");
  EXPECT_EQ(integer["engine"], "integers, float multiplier");
  EXPECT_GT(integer["agreement"].get<double>(), 0.98);
  json fixed = succeed_json("eval m.onnx --synthetic --requantize fixed-point --compare-to m.onnx");
  EXPECT_EQ(fixed["engine"], "integers, fixed point");
  json simulated = succeed_json("eval m.onnx --synthetic --engine float --compare-to m.onnx");
  EXPECT_GT(simulated["agreement"].get<double>(), 0.999);
}

TEST_F(Program, AppliesAPlanAgainToTheSameBytes) {
  train_small();
  (void)succeed(
      "quantize m.pt --synthetic -o a.onnx --plan-out plan.json --weight-bits 4 --activation-bits 6");
  (void)succeed("quantize m.pt --synthetic -o b.onnx --plan plan.json");
  EXPECT_EQ(content_of(path("a.onnx")), content_of(path("b.onnx")));
}

TEST_F(Program, TheSameSeedGivesTheSameFile) {
  for (const char* name : {"a.pt", "b.pt"}) {
    (void)succeed("train --synthetic --limit 640 --epochs 1 --seed 7 --threads 1 -o " + std::string(name));
  }
  (void)succeed("train --synthetic --limit 640 --epochs 1 --seed 8 --threads 1 -o c.pt");
  EXPECT_EQ(content_of(path("a.pt")), content_of(path("b.pt")));
  EXPECT_NE(content_of(path("a.pt")), content_of(path("c.pt")));
}

TEST_F(Program, ResumesToTheSameBytes) {
  std::string common = "train --synthetic --limit 640 --threads 1 --keep-last --optimizer adam --lr 0.001 ";
  (void)succeed(common + "--epochs 2 -o whole.pt");
  (void)succeed(common + "--epochs 1 --checkpoint half.pt");
  (void)succeed(common + "--epochs 2 --resume half.pt -o resumed.pt");
  EXPECT_EQ(content_of(path("whole.pt")), content_of(path("resumed.pt")));
}

TEST_F(Program, ProfilesAnyInputShape) {
  train_small();
  json counted = succeed_json("profile m.pt");
  EXPECT_EQ(counted["parameters"], 44426);
  EXPECT_EQ(counted["multiply_adds"], 281640);
  EXPECT_EQ(counted["bytes"]["32"], 177704);
  EXPECT_EQ(succeed_json("profile m.pt --shape 4x1x28x28")["multiply_adds"], 4 * 281640);
  EXPECT_NE(fail(1, "profile m.pt --shape 1x1x32x32").find("Gemm 'fc1': matrices [1, 400]"),
            std::string::npos);
  EXPECT_NE(fail(1, "profile m.pt --shape 1x1xbig").find("'1x1xbig' is not a shape"), std::string::npos);
}

TEST_F(Program, InspectsGraphPlanAndParameters) {
  train_small();
  EXPECT_NE(succeed("inspect m.pt").find("conv2.weight"), std::string::npos);
  (void)succeed("quantize m.pt --synthetic -o m.onnx");
  EXPECT_NE(succeed("inspect m.onnx --plan").find("the integers of 'relu1': max pooling only selects"),
            std::string::npos);
  EXPECT_NE(succeed("inspect m.onnx --graph").find("QuantizeLinear"), std::string::npos);
  json all = succeed_json("inspect m.onnx");
  EXPECT_EQ(all["plan"]["decisions"].size(), 18u);
  EXPECT_NE(fail(1, "inspect m.pt --plan").find("carries no quantization plan"), std::string::npos);
}

TEST_F(Program, TheDemoNeedsNoData) {
  json demo = succeed_json("demo");
  EXPECT_EQ(demo["data"], "synthetic digits, 2000 images, seed 3");
  auto top1 = [&](std::size_t row) { return demo["rows"][row]["top1"].get<double>(); };
  EXPECT_GE(top1(0), 0.97);
  EXPECT_GE(top1(1), top1(0) - 0.003);
  EXPECT_GE(top1(2), top1(0) - 0.003);
  EXPECT_EQ(files(), std::vector<std::string>{});
}

TEST_F(Program, ShowsDataAsText) {
  EXPECT_NE(succeed("data digits --show 0").find("sample 0, label"), std::string::npos);
  EXPECT_EQ(succeed_json("data digits").size(), 2u);
}

}  // namespace
}  // namespace zeropoint
