// Recipes as a user gives them: by name, from a file, by options, and what is said of wrong ones.

#include <nlohmann/json.hpp>

#include "run_program.h"

namespace zeropoint {
namespace {

using nlohmann::json;

class Recipes : public ProgramTest {
 protected:
  void SetUp() override {
    (void)succeed("train --synthetic --limit 2000 --epochs 1 --optimizer adam --lr 0.003 -o m.pt");
  }
  [[nodiscard]] json succeed_json(const std::string& arguments) const {
    return json::parse(succeed(arguments + " --json"), nullptr, false);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  /// How many of the predictions of `model` are those of the float network.
  [[nodiscard]] double agreement(const std::string& model) const {
    return succeed_json("eval " + model + " --synthetic --engine integer --compare-to m.pt")["agreement"];
  }
};

TEST_F(Recipes, AreListedAndPrinted) {
  std::string list = succeed("recipe");
  const json recipes = succeed_json("recipe");
  for (const auto& [name, what] : recipes.items()) {
    EXPECT_NE(list.find(name), std::string::npos);
    EXPECT_EQ(json::parse(succeed("recipe " + name))["base"], name);
  }
  json printed =
      json::parse(succeed("quantize m.pt --print-recipe --weight-bits 4 --float fc1 --per-tensor"));
  EXPECT_EQ(printed["weights"]["bits"], 4);
  EXPECT_EQ(printed["weights"]["granularity"], "per_tensor");
  EXPECT_EQ(printed["overrides"][0]["nodes"], "fc1");
  EXPECT_EQ(files(), std::vector<std::string>{"m.pt"});
}

TEST_F(Recipes, EachOneRuns) {
  const json recipes = succeed_json("recipe");
  for (const auto& [name, what] : recipes.items()) {
    bool needs_data = name.rfind("static", 0) == 0;
    (void)succeed("quantize m.pt -o m.onnx --recipe " + name + (needs_data ? " --synthetic" : ""));
    EXPECT_GT(agreement("m.onnx"), name == "static_w4a4" ? 0.8 : 0.95) << name;
    (void)succeed("convert m.onnx q.onnx --format qoperator");
    EXPECT_GT(agreement("q.onnx"), name == "static_w4a4" ? 0.8 : 0.95) << name;
  }
}

TEST_F(Recipes, FourBitsTakeHalfAByte) {
  json eight = succeed_json("quantize m.pt -o 8.onnx --synthetic");
  json four = succeed_json("quantize m.pt -o 4.onnx --synthetic --weight-bits 4");
  auto bytes = [](const json& of) { return of["quantized_bytes"].get<double>(); };
  EXPECT_LT(bytes(four), 0.56 * bytes(eight));
  EXPECT_LT(std::filesystem::file_size(path("4.onnx")) + 20000, std::filesystem::file_size(path("8.onnx")));
  EXPECT_EQ(four["float_bytes"], 44426 * 4);
}

TEST_F(Recipes, FilesAndOptionsTogether) {
  write("mine.json", R"({"activations": {"type": "int8"}, "overrides": [
    {"nodes": "conv*", "activations": {"type": "int16"}}, {"operator": "Gemm", "weights": {"bits": 4}}]})");
  json plan = succeed_json("quantize m.pt -o m.onnx --synthetic --recipe mine.json --weight-bits 6")["plan"];
  for (const json& decision : plan["decisions"]) {
    std::string tensor = decision["tensor"];
    if (tensor == "conv1.weight" || tensor == "fc1.weight") {
      EXPECT_EQ(decision["bits"], tensor == "fc1.weight" ? 4 : 6) << tensor;
    }
    if (tensor == "input" || tensor == "flatten") {
      EXPECT_EQ(decision["bits"], tensor == "input" ? 16 : 8) << tensor;
    }
  }
  EXPECT_GT(agreement("m.onnx"), 0.9);
}

TEST_F(Recipes, SaysWhatIsWrong) {
  EXPECT_EQ(fail(1, "quantize m.pt -o x.onnx --recipe static_w8a9"),
            "zeropoint: there is no recipe 'static_w8a9'; did you mean static_w8a8?\n");
  EXPECT_EQ(fail(1, "quantize m.pt -o x.onnx --recipe no.json"), "zeropoint: no.json: no such file\n");
  write("bad.json", R"({"wieghts": {"bits": 4}})");
  EXPECT_EQ(fail(1, "quantize m.pt -o x.onnx --recipe bad.json"),
            "zeropoint: bad.json: recipe: unknown field 'wieghts'; did you mean 'weights'?\n");
  EXPECT_EQ(fail(1, "quantize m.pt -o x.onnx --synthetic --float cov1"),
            "zeropoint: override for nodes 'cov1': the network has none; did you mean 'conv1'?\n");
  EXPECT_EQ(fail(1, "quantize m.pt -o x.onnx --synthetic --group-size 32").substr(0, 47),
            "zeropoint: scales per group are for weights alo");
  EXPECT_EQ(fail(2, "quantize m.pt -o x.onnx --weight-bits 9").substr(0, 35),
            "zeropoint quantize: --weight-bits: ");
  EXPECT_EQ(fail(2, "quantize m.pt").substr(0, 40), "zeropoint quantize: --output is required");
  EXPECT_EQ(files(), (std::vector<std::string>{"bad.json", "m.pt"}));
}

}  // namespace
}  // namespace zeropoint
