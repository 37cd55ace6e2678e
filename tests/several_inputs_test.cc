// A model of several inputs, as a user evaluates and quantizes it.

#include <nlohmann/json.hpp>

#include "run_program.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/npy.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint {
namespace {

using toolchain::Dim;
using toolchain::Graph;
using toolchain::ValueId;

constexpr std::int64_t kSamples = 8;

/// scores = left · [[2, 0], [0, 1]] + right, for batches of `batch` samples.
Graph two_inputs(Dim batch, bool right_first) {
  Graph graph;
  auto add = [&](const char* name) { return graph.add_input(name, ElementType::kFloat32, {batch, 2}); };
  ValueId right = right_first ? add("right") : toolchain::kNoValue;
  ValueId left = add("left");
  right = right_first ? right : add("right");
  ValueId weights = graph.add_constant("weights", Tensor::of<float>({2, 2}, {2, 0, 0, 1}));
  ValueId product = graph.add_node(Op::kMatMul, "product", {left, weights}, "doubled");
  graph.outputs = {graph.add_node(Op::kAdd, "sum", {product, right}, "scores")};
  return graph;
}

/// Samples of both inputs whose sums are known: sample i is of class i % 2, except that the last one's label
/// is wrong. Neither input tells the class alone.
class SeveralInputs : public ProgramTest {
 protected:
  SeveralInputs() {
    std::vector<float> left;
    std::vector<float> right;
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < kSamples; ++i) {
      bool second = i % 2 == 1;
      bool swapped = i % 4 < 2;
      left.insert(left.end(), {swapped ? 4.0F : 1.0F, 2.0F});
      right.insert(right.end(), {0.0F, (swapped ? 6.0F : 0.0F) + (second ? 1.0F : -1.0F)});
      labels.push_back(i + 1 == kSamples ? 0 : i % 2);
    }
    write("left.npy", Tensor::of<float>({kSamples, 2}, left));
    write("right.npy", Tensor::of<float>({kSamples, 2}, right));
    write("few.npy", Tensor::of<float>({kSamples - 1, 2}, std::span(right).first(2 * (kSamples - 1))));
    write("labels.npy", Tensor::of<std::int64_t>({kSamples}, labels));
    write("m.onnx", two_inputs(Dim("N"), false));
    write("mirrored.onnx", two_inputs(Dim("N"), true));
    write("threes.onnx", two_inputs(Dim(3), false));
  }

  void write(const std::string& name, const Tensor& tensor) const {
    EXPECT_TRUE(toolchain::write_npy(path(name), tensor).ok());
  }
  void write(const std::string& name, const Graph& graph) const {
    Status status = toolchain::write_onnx(graph, path(name));
    EXPECT_TRUE(status.ok()) << status.message();
  }
  [[nodiscard]] nlohmann::json eval(const std::string& arguments) const {
    return nlohmann::json::parse(succeed("eval --json " + arguments));
  }
};

const std::string kBoth = " --data left.npy --labels labels.npy --input right=right.npy";

TEST_F(SeveralInputs, EvaluateSideBySide) {
  nlohmann::json result = eval("m.onnx" + kBoth + " --batch 3 --threads 2");
  EXPECT_EQ(result["count"], kSamples);
  EXPECT_EQ(result["correct"], kSamples - 1);
  EXPECT_EQ(result["inputs"][1]["name"], "right");
  // The labels come with whichever input --data feeds, or with the first where --input names all.
  for (const char* same : {"--input left=left.npy --data right.npy --labels labels.npy",
                           "--input left=left.npy --input right=right.npy --labels labels.npy"}) {
    EXPECT_EQ(eval(std::string("m.onnx ") + same)["correct"], kSamples - 1) << same;
  }
  EXPECT_EQ(eval("m.onnx --limit 7" + kBoth)["correct"], 7);
  std::string text = succeed("eval m.onnx" + kBoth);
  EXPECT_NE(text.find("\n        right: 8 samples"), std::string::npos) << text;
}

TEST_F(SeveralInputs, OfABatchOfOneSizeFillTheLastOne) {
  EXPECT_EQ(eval("threes.onnx" + kBoth)["correct"], kSamples - 1);
}

TEST_F(SeveralInputs, CompareByName) {
  EXPECT_EQ(eval("m.onnx --compare-to mirrored.onnx" + kBoth)["agreement"], 1.0);
}

TEST_F(SeveralInputs, QuantizeAndEvaluateInIntegers) {
  (void)succeed("quantize m.onnx -o q.onnx --data left.npy --input right=right.npy");
  nlohmann::json result = eval("q.onnx --compare-to m.onnx" + kBoth);
  EXPECT_EQ(result["engine"].get<std::string>().find("integers"), 0U);
  EXPECT_EQ(result["agreement"], 1.0);
}

TEST_F(SeveralInputs, SayWhatIsMissing) {
  auto fails = [&](const std::string& arguments, const char* message) {
    std::string error = fail(1, "eval m.onnx " + arguments);
    EXPECT_NE(error.find(message), std::string::npos) << error;
  };
  fails("--data left.npy --labels labels.npy", "the model has inputs left, right; --data feeds one");
  fails("--data left.npy --input rigth=right.npy", "no input 'rigth'; did you mean right?");
  fails("--data left.npy --input right=right.npy --input right=left.npy", "input 'right' is given twice");
  fails("--data left.npy --input right=right.npy --input left=left.npy", "--data feeds none");
  fails("--data left.npy --labels labels.npy --input right=few.npy",
        "there are 8 samples of one input and 7 of another");
  fails("--data left.npy --input right=right.npy", "sample 0 has no label: 8 samples");
  fails("--data left.npy --labels labels.npy --input right=labels.npy", "right");
  fails("--data left.npy --labels labels.npy --input right=gone.npy", "gone.npy");
}

}  // namespace
}  // namespace zeropoint
