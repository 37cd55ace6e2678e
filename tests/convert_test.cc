// A model in other forms and opsets of ONNX.

#include <nlohmann/json.hpp>

#include "run_program.h"

namespace zeropoint {
namespace {

class Convert : public ProgramTest {
 protected:
  void SetUp() override {
    (void)succeed("train --synthetic --limit 640 --epochs 1 -o m.pt");
    (void)succeed("quantize m.pt --synthetic -o qdq.onnx");
  }
  [[nodiscard]] std::string graph_of(const std::string& model) const {
    return succeed("inspect --graph " + model);
  }
  [[nodiscard]] double agreement(const std::string& a, const std::string& b) const {
    std::string text = succeed("eval " + a + " --synthetic --json --compare-to " + b);
    return nlohmann::json::parse(text).at("agreement");
  }
};

TEST_F(Convert, QuantizesToOperatorsOnIntegersThatComputeTheSame) {
  (void)succeed("quantize m.pt --synthetic -o direct.onnx --format qoperator");
  (void)succeed("convert qdq.onnx qop.onnx --format qoperator");
  EXPECT_EQ(content_of(path("qop.onnx")), content_of(path("direct.onnx")));
  EXPECT_NE(content_of(path("qop.onnx")).find("QLinearConv"), std::string::npos);
  EXPECT_EQ(content_of(path("qdq.onnx")).find("QLinearConv"), std::string::npos);
  EXPECT_EQ(agreement("qop.onnx", "qdq.onnx"), 1.0);
  (void)succeed("convert qop.onnx again.onnx --format qdq");
  (void)succeed("convert again.onnx qop2.onnx --format qoperator");
  EXPECT_EQ(content_of(path("qop.onnx")), content_of(path("qop2.onnx")));
}

TEST_F(Convert, WritesOtherOpsetsAndSaysWhatTheyCannot) {
  EXPECT_EQ(succeed("convert m.pt float.onnx --opset 7"), "wrote float.onnx\n");
  EXPECT_EQ(agreement("float.onnx", "m.pt"), 1.0);
  std::string error = fail(1, "convert qdq.onnx old.onnx --opset 12");
  EXPECT_EQ(error,
            "zeropoint: old.onnx: DequantizeLinear 'conv1.weight_dequantize': opset 12 cannot say a scale "
            "per channel; "
            "opset 13 can\n");
  EXPECT_NE(fail(2, "convert qdq.onnx old.onnx --opset 6").find("opset"), std::string::npos);
  EXPECT_NE(fail(2, "convert qdq.onnx a.onnx --format qdk").find("did you mean qdq?"), std::string::npos);
  EXPECT_EQ(files(), (std::vector<std::string>{"float.onnx", "m.pt", "qdq.onnx"}));
}

TEST_F(Convert, KeepsWeightsInAFileBesideTheModel) {
  (void)succeed("convert m.pt out.onnx --external-data");
  EXPECT_EQ(files(), (std::vector<std::string>{"m.pt", "out.onnx", "out.onnx.data", "qdq.onnx"}));
  EXPECT_EQ(agreement("out.onnx", "m.pt"), 1.0);
}

}  // namespace
}  // namespace zeropoint
