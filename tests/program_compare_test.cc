// Comparing and tuning as a user does: tables, JSON, errors, a search that goes on.

#include <nlohmann/json.hpp>

#include "run_program.h"

namespace zeropoint {
namespace {

using nlohmann::json;

class ProgramCompare : public ProgramTest {
 protected:
  ProgramCompare() {
    (void)succeed("train --synthetic --limit 2000 --epochs 1 --optimizer adam --lr 0.003 -o m.pt");
  }
  [[nodiscard]] json succeed_json(const std::string& arguments) const {
    return json::parse(succeed(arguments + " --json"), nullptr, false);
  }
};

TEST_F(ProgramCompare, SaysWhereANetworkLoses) {
  (void)succeed("quantize m.pt --synthetic --samples 64 -o m.onnx");
  std::string text = succeed("compare m.pt m.onnx --synthetic --limit 40 --findings 2");
  EXPECT_NE(text.find("m.onnx beside m.pt, on 40 samples"), std::string::npos) << text;
  EXPECT_NE(text.find("relu2"), std::string::npos);
  EXPECT_EQ(text.find("maxpool1"), std::string::npos);  // it only moves
  EXPECT_NE(text.find("\n2. '"), std::string::npos);
  EXPECT_EQ(text.find("\n3. '"), std::string::npos);
  EXPECT_NE(text.find("zeropoint quantize m.pt -o better.onnx --synthetic"), std::string::npos);
  EXPECT_NE(succeed("compare m.pt m.onnx --synthetic --limit 40 --all").find("maxpool1"), std::string::npos);

  json result = succeed_json("compare m.pt m.onnx --synthetic --limit 40");
  EXPECT_EQ(result["samples"], 40);
  EXPECT_EQ(result["layers"].size(), 9u);
  EXPECT_EQ(result["layers"][0]["tensor"], "input");
  EXPECT_GT(result["layers"][0]["isolated"]["sqnr_db"].get<double>(), 30);
  EXPECT_EQ(result["outputs"][0]["rows"], 40);
  EXPECT_EQ(result["float_scores"]["count"], 40);
  EXPECT_FALSE(result["verdict"][0]["command"].get<std::string>().empty());
  EXPECT_FALSE(
      succeed_json("compare m.pt m.onnx --synthetic --limit 40 --no-labels").contains("float_scores"));
}

TEST_F(ProgramCompare, AnEqualizedNetworkIsComparedWithWhatItWasMadeFrom) {
  (void)succeed("quantize m.pt --synthetic --samples 64 --improve equalize -o m.onnx");
  json result = succeed_json("compare m.pt m.onnx --synthetic --limit 40");
  for (const json& layer : result["layers"]) {
    EXPECT_GT(layer["isolated"]["sqnr_db"].get<double>(), 30) << layer["tensor"];
  }
}

TEST_F(ProgramCompare, RefusesWhatCannotBeCompared) {
  (void)succeed("quantize m.pt --synthetic --samples 16 -o m.onnx");
  EXPECT_NE(fail(1, "compare m.onnx m.pt --synthetic")
                .find("the model is quantized; compare takes the float model"),
            std::string::npos);
  EXPECT_NE(fail(1, "compare m.pt m.pt --synthetic").find("the model is not quantized"), std::string::npos);
  EXPECT_NE(fail(2, "compare m.pt --synthetic").find("quantized"), std::string::npos);
  EXPECT_NE(fail(2, "compare m.pt m.onnx --find 3").find("did you mean --findings?"), std::string::npos);
}

TEST_F(ProgramCompare, TunesToATargetAndGoesOn) {
  std::string command =
      "tune m.pt --synthetic --samples 64 --limit 200 --weight-bits 2 --max-drop 1% -o t.onnx --recipe-out "
      "r.json";
  json result = succeed_json(command);
  EXPECT_TRUE(result["met"].get<bool>()) << result;
  EXPECT_LE(result["drop"].get<double>(), 0.01);
  EXPECT_GT(result["steps"][0]["drop"].get<double>(), 0.01);
  EXPECT_EQ(files(), (std::vector<std::string>{"m.pt", "r.json", "t.onnx", "t.onnx.tune.json"}));
  EXPECT_EQ(json::parse(content_of(path("r.json"))), result["recipe"]);

  std::string model = content_of(path("t.onnx"));
  json again = succeed_json(command + " --resume");
  EXPECT_EQ(again["known_trials"], again["trials"]);
  EXPECT_EQ(again["recipe"], result["recipe"]);
  EXPECT_EQ(content_of(path("t.onnx")), model);

  // The recipe makes the same model.
  (void)succeed("quantize m.pt --synthetic --samples 64 --recipe r.json -o q.onnx");
  EXPECT_EQ(content_of(path("q.onnx")), model);
}

TEST_F(ProgramCompare, RefusesTargetsAndStatesThatAreNone) {
  std::string command = "tune m.pt --synthetic --samples 16 --limit 16 -o t.onnx ";
  EXPECT_NE(fail(1, command + "--max-drop much").find("write 0.5% or 0.005"), std::string::npos);
  EXPECT_NE(fail(1, command + "--resume").find("t.onnx.tune.json"), std::string::npos);
  std::ofstream(path("s.json")) << "{";
  EXPECT_NE(fail(1, command + "--resume --state s.json").find("no state of tune"), std::string::npos);
  EXPECT_EQ(files(), (std::vector<std::string>{"m.pt", "s.json"}));
}

}  // namespace
}  // namespace zeropoint
