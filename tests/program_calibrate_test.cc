// Calibration as a user runs it: in one process or in several, stopped or not, and what goes wrong.

#include <cmath>
#include <nlohmann/json.hpp>

#include "run_program.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/npy.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/random.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint {
namespace {

using Json = nlohmann::ordered_json;
using toolchain::Dim;
using toolchain::Graph;
using toolchain::ValueId;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ProgramCalibrate : public ProgramTest {
 protected:
  ProgramCalibrate() {
    write_lenet("m.pt", 7);
    toolchain::Random random(3);
    Tensor images(ElementType::kFloat32, {11, 1, 28, 28});
    for (float& pixel : images.data<float>()) {
      pixel = static_cast<float>(random.below(256)) / 255;
    }
    write("x.npy", images);
  }

  void write_lenet(const std::string& name, std::uint64_t seed) const {
    toolchain::Random random(seed);
    toolchain::StateDict lenet = toolchain::parameters_of(*toolchain::make_architecture("lenet"));
    for (auto& [parameter, tensor] : lenet.tensors) {
      for (float& weight : tensor.data<float>()) {
        weight = static_cast<float>(static_cast<std::int64_t>(random.below(2001)) - 1000) / 5000.0F;
      }
    }
    ASSERT_TRUE(toolchain::write_state_dict(path(name), lenet).ok());
  }
  void write(const std::string& name, const Tensor& tensor) const {
    ASSERT_TRUE(toolchain::write_npy(path(name), tensor).ok());
  }
  [[nodiscard]] Json statistics(const std::string& name) const { return Json::parse(content_of(path(name))); }

  /// All that merging keeps exactly.
  static Json exact_part(Json json) {
    json.erase("parts");
    for (Json& tensor : json["tensors"]) {
      tensor.erase("moving_average");
    }
    return json;
  }
};

TEST_F(ProgramCalibrate, PartsMergeToWhatOneRunGives) {
  std::string said = succeed("calibrate m.pt --data x.npy -o whole.json");
  EXPECT_TRUE(contains(said, "11 samples")) << said;
  for (const char* shard : {"1", "2", "3"}) {
    (void)succeed(std::string("calibrate m.pt --data x.npy --threads 1 --shard ") + shard + "/3 -o " + shard +
                  ".json");
  }
  (void)succeed("calibrate --merge 1.json 2.json -o ab.json");
  (void)succeed("calibrate --merge ab.json 3.json -o ab_c.json");
  (void)succeed("calibrate --merge 2.json 3.json -o bc.json");
  (void)succeed("calibrate --merge 1.json bc.json -o a_bc.json");
  Json whole = exact_part(statistics("whole.json"));
  EXPECT_EQ(exact_part(statistics("ab_c.json")), whole);
  EXPECT_EQ(exact_part(statistics("a_bc.json")), whole);
  EXPECT_EQ(statistics("a_bc.json")["parts"][1]["samples"], 4);
  Json averages = statistics("whole.json")["tensors"];
  Json merged = statistics("a_bc.json")["tensors"];
  for (std::size_t i = 0; i < averages.size(); ++i) {
    EXPECT_EQ(merged[i]["moving_average"]["runs"], 11);
    EXPECT_NEAR(merged[i]["moving_average"]["high"].get<double>(),
                averages[i]["moving_average"]["high"].get<double>(), 1e-9);
  }
}

TEST_F(ProgramCalibrate, ThreadsChangeNothing) {
  (void)succeed("calibrate m.pt --data x.npy --threads 1 -o one.json");
  (void)succeed("calibrate m.pt --data x.npy --threads 3 -o three.json");
  EXPECT_EQ(content_of(path("one.json")), content_of(path("three.json")));
}

TEST_F(ProgramCalibrate, StatisticsTakeThePlaceOfData) {
  (void)succeed("calibrate m.pt --data x.npy -o s.json");
  // Biases are corrected by samples where there are some, so that would not be the same.
  std::ofstream(path("recipe.json")) << R"({"correct_biases": false})";
  for (const char* method :
       {"minmax", "moving_average", "percentile:99", "entropy", "entropy-chapter", "mse"}) {
    std::string how = std::string(" --recipe recipe.json --calibrator ") + method;
    (void)succeed("quantize m.pt -o a.onnx --plan-out a.json --data x.npy --statistics-out s2.json" + how);
    (void)succeed("quantize m.pt -o b.onnx --plan-out b.json --statistics s.json" + how);
    EXPECT_EQ(content_of(path("a.onnx")), content_of(path("b.onnx"))) << method;
    EXPECT_TRUE(contains(content_of(path("b.json")), method)) << method;
  }
  EXPECT_EQ(content_of(path("s2.json")), content_of(path("s.json")));
}

TEST_F(ProgramCalibrate, SaysWhatIsWrongAndWritesNothing) {
  (void)succeed("calibrate m.pt --data x.npy -o s.json");
  write_lenet("other.pt", 8);
  (void)succeed("calibrate other.pt --data x.npy -o other.json");
  std::ofstream(path("text.json")) << "{}";
  write("small.npy", Tensor(ElementType::kFloat32, {4, 1, 27, 28}));
  write("none.npy", Tensor(ElementType::kFloat32, {0, 1, 28, 28}));
  Tensor bad(ElementType::kFloat32, {5, 1, 28, 28});
  bad.data<float>()[3 * 784 + 5] = NAN;
  write("nan.npy", bad);
  std::vector<std::string> before = files();

  std::string message = fail(2, "quantize m.pt -o q.onnx --data x.npy --calibrator entrpy");
  EXPECT_TRUE(contains(message, "no calibration method 'entrpy'; did you mean entropy?")) << message;
  message = fail(2, "quantize m.pt -o q.onnx --data x.npy --calibrator percentile:101");
  EXPECT_TRUE(contains(message, "'percentile:101' is no percentile; use a number above 50 and up to 100"))
      << message;
  EXPECT_EQ(
      fail(1, "calibrate --merge s.json other.json -o q.json"),
      "zeropoint: s.json and other.json: the statistics are of different models: the names are the same, "
      "and the constants or nodes differ\n");
  EXPECT_EQ(
      fail(1, "quantize other.pt -o q.onnx --statistics s.json"),
      "zeropoint: s.json: these are statistics of another model: this one has tensors of the same names, "
      "but other constants or nodes\n");
  EXPECT_EQ(fail(1, "calibrate --merge s.json text.json -o q.json"),
            "zeropoint: text.json: not a statistics file of zeropoint\n");
  EXPECT_TRUE(contains(fail(1, "calibrate --merge s.json lost.json -o q.json"), "lost.json"));
  EXPECT_EQ(fail(1, "calibrate -o q.json --data x.npy"),
            "zeropoint: name a model to calibrate, or files to --merge\n");
  EXPECT_EQ(fail(1, "calibrate m.pt --merge s.json -o q.json"),
            "zeropoint: --merge takes files of statistics alone, and no model\n");
  EXPECT_EQ(fail(1, "calibrate m.pt --data x.npy --shard 3/2 -o q.json"),
            "zeropoint: --shard 3/2: write I/N, part I of N with I from 1 to N, as --shard 1/4\n");
  EXPECT_EQ(fail(1, "calibrate m.pt --data x.npy --shard 2/100 -o q.json"),
            "zeropoint: --shard 2/100: of 11 samples this part has none\n");
  message = fail(1, "calibrate m.pt --data small.npy -o q.json");
  EXPECT_TRUE(contains(message, "[1, 27, 28]")) << message;
  message = fail(1, "calibrate m.pt --data none.npy -o q.json");
  EXPECT_TRUE(contains(message, "none.npy")) << message;
  message = fail(1, "calibrate m.pt --data nan.npy -o q.json");
  EXPECT_TRUE(contains(message, "nan.npy") &&
              contains(message, ": tensor 'input' (an input) is nan at sample 3\n"))
      << message;
  EXPECT_EQ(files(), before);
}

/// A network that takes long for a sample, and samples for a long time.
TEST_F(ProgramCalibrate, StopsWhenItIsAskedToAndKeepsWhatItHas) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1, 8, 8});
  Tensor weights(ElementType::kFloat32, {64, 1, 1, 1});
  std::fill(weights.data<float>().begin(), weights.data<float>().end(), 0.5F);
  Tensor more(ElementType::kFloat32, {64, 64, 3, 3});
  std::fill(more.data<float>().begin(), more.data<float>().end(), 0.01F);
  ValueId wide = graph.add_node(Op::kConv, "wide", {x, graph.add_constant("w", weights)}, "wide",
                                {{"pads", std::vector<std::int64_t>(4, 100)}});
  graph.outputs = {graph.add_node(Op::kConv, "slow", {wide, graph.add_constant("v", more)}, "y")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  graph.name = "slow";
  std::string model = *toolchain::to_onnx(graph);
  std::ofstream(path("slow.onnx"), std::ios::binary) << model;
  write("many.npy", Tensor(ElementType::kFloat32, {20000, 1, 8, 8}));
  auto stopped_after = [&](int seconds, const std::string& arguments) {
    std::string command = "cd '" + folder_ + "' && { '" ZP_PROGRAM "' " + arguments +
                          " >out 2>err </dev/null & pid=$!; sleep " + std::to_string(seconds) +
                          "; kill -TERM $pid; wait $pid; }";
    int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  int seconds = 1;  // more on a machine that is busy
  do {
    seconds *= 2;
    EXPECT_EQ(stopped_after(seconds, "calibrate slow.onnx --data many.npy --samples 0 -o s.json"), 130);
  } while (!std::filesystem::exists(path("s.json")) && seconds < 64);
  std::int64_t samples = statistics("s.json")["parts"][0]["samples"];
  EXPECT_GT(samples, 0);
  EXPECT_LT(samples, 20000);
  EXPECT_EQ(content_of(path("err")),
            "zeropoint: stopped after " + std::to_string(samples) + " of 20000 samples, which s.json has\n");
  (void)succeed("quantize slow.onnx -o q.onnx --statistics s.json");
  std::filesystem::remove(path("q.onnx"));

  EXPECT_EQ(stopped_after(seconds, "quantize slow.onnx --data many.npy --samples 0 -o q.onnx"), 130);
  EXPECT_TRUE(contains(content_of(path("err")), "zeropoint: stopped ")) << content_of(path("err"));
  EXPECT_FALSE(std::filesystem::exists(path("q.onnx")));
}

}  // namespace
}  // namespace zeropoint
