// Data of every kind, as a user names it: the same images in each of them give the same result.

#include <nlohmann/json.hpp>

#include "data/image_files_for_test.h"
#include "run_program.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/npy.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/random.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint {
namespace {

using toolchain::Image;
using toolchain::StateDict;

constexpr std::int64_t kImages = 12;
constexpr std::size_t kPixels = 28 * 28;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A LeNet of random weights, and random images, in bytes and as floats between 0 and 1.
class ProgramData : public ProgramTest {
 protected:
  ProgramData() {
    toolchain::Random random(7);
    StateDict lenet = toolchain::parameters_of(*toolchain::make_architecture("lenet"));
    for (auto& [name, tensor] : lenet.tensors) {
      for (float& weight : tensor.data<float>()) {
        weight = static_cast<float>(static_cast<std::int64_t>(random.below(2001)) - 1000) / 5000.0f;
      }
    }
    EXPECT_TRUE(toolchain::write_state_dict(path("m.pt"), lenet).ok());
    std::vector<float> floats;
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> labels;
    std::string list = "file,label\n";
    for (std::int64_t i = 0; i < kImages; ++i) {
      Image image{28, 28, 1, {}};
      for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
        image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
        floats.push_back(static_cast<float>(image.pixels.back()) / 255.0f);
      }
      bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
      labels.push_back(i % 10);
      std::string name = "images/" + std::to_string(i) + ".png";
      std::filesystem::create_directories(path("images"));
      std::ofstream(path(name), std::ios::binary) << toolchain::png_file(image);
      list += std::to_string(i) + ".png," + std::to_string(i % 10) + "\n";
    }
    std::ofstream(path("images/labels.csv")) << list;
    floats_ = Tensor::of<float>({kImages, 1, 28, 28}, floats);
    Tensor pixels = Tensor::of<std::uint8_t>({kImages, 28, 28}, bytes);
    Tensor numbers = Tensor::of<std::int64_t>({kImages}, labels);
    EXPECT_TRUE(toolchain::write_npy(path("x.npy"), floats_).ok());
    EXPECT_TRUE(toolchain::write_npy(path("bytes.npy"), pixels).ok());
    EXPECT_TRUE(toolchain::write_npy(path("y.npy"), numbers).ok());
    EXPECT_TRUE(toolchain::write_npz(path("set.npz"), {{"x", floats_}, {"y", numbers}}).ok());
  }

  [[nodiscard]] nlohmann::json eval(const std::string& arguments) const {
    return nlohmann::json::parse(succeed("eval m.pt --json " + arguments));
  }

  Tensor floats_;
};

TEST_F(ProgramData, EveryKindGivesTheSame) {
  nlohmann::json expected = eval("--data x.npy --labels y.npy --predictions p.csv");
  EXPECT_EQ(expected["count"], kImages);
  std::ofstream(path("how.json")) << R"({"channels": "grey", "scale": "1/255"})";
  for (const std::string& arguments :
       {std::string("--data set.npz"), std::string("--data set.npz:x --labels set.npz:y"),
        std::string("--data bytes.npy --labels y.npy --scale 1/255"),
        std::string("--data images --preprocess how.json"),
        std::string("--data images --labels images/labels.csv --channels grey --scale 1/255 --batch 5 "
                    "--threads 3")}) {
    nlohmann::json result = eval(arguments);
    EXPECT_EQ(result["loss"], expected["loss"]) << arguments;
    EXPECT_EQ(result["correct"], expected["correct"]) << arguments;
  }
  EXPECT_EQ(eval("--data images --preprocess how.json")["preprocess"], "grey, x/255, nchw");
  EXPECT_EQ(eval("--data images --preprocess how.json --mean 0.5 --std 0.25")["preprocess"],
            "grey, x/255, mean 0.5, std 0.25, nchw");
  EXPECT_EQ(eval("--data x.npy --labels y.npy --limit 5")["count"], 5);
}

TEST_F(ProgramData, RunGivesWhatEvalCounts) {
  std::string out = succeed("run m.pt --input x.npy --output-dir out");
  EXPECT_TRUE(contains(out, "float32 [12, 1, 28, 28]")) << out;
  ASSERT_EQ(std::distance(std::filesystem::directory_iterator(path("out")), {}), 1);
  std::string file = std::filesystem::directory_iterator(path("out"))->path();
  Result<Tensor> scores = toolchain::read_npy(file);
  ASSERT_TRUE(scores.ok()) << scores.status().message();
  ASSERT_EQ(scores->shape(), (Shape{kImages, 10}));
  (void)succeed("eval m.pt --data x.npy --labels y.npy --predictions p.csv");
  std::string expected = "index,label,predicted\n";
  for (std::int64_t i = 0; i < kImages; ++i) {
    auto row = scores->data<float>().subspan(static_cast<std::size_t>(i) * 10, 10);
    auto best = std::max_element(row.begin(), row.end()) - row.begin();
    expected += std::to_string(i) + "," + std::to_string(i % 10) + "," + std::to_string(best) + "\n";
  }
  EXPECT_EQ(content_of(path("p.csv")), expected);
}

TEST_F(ProgramData, CalibratesOnTheSameKinds) {
  std::string arrays = succeed("quantize m.pt -o a.onnx --data x.npy");
  EXPECT_TRUE(contains(arrays, "calibrated (minmax) on 12 samples, x.npy")) << arrays;
  std::string images = succeed("quantize m.pt -o b.onnx --data images --channels grey --scale 1/255");
  EXPECT_TRUE(contains(images, "12 images, images; grey, x/255, nchw")) << images;
  EXPECT_EQ(content_of(path("a.onnx")), content_of(path("b.onnx")));
  // Integers, in batches of any size.
  (void)succeed("run a.onnx --input x.npy --output-dir out --engine integer");
  (void)succeed("eval a.onnx --data images --channels grey --scale 1/255 --compare-to m.pt");
}

TEST_F(ProgramData, OneLineForWhatDoesNotFit) {
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data x.npy"), "sample 0 has no label"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data images"), "samples are float32 [3, 28, 28]"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data set.npz:z"), "there is no array 'z'"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data x.npy --labels set.npz"), "write set.npz:NAME"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data images/0.png"), "name the folder"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data x.npy --resize 32"), "arrays are not resized"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data images --resize wide"), "'wide' is no size"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data m.pt"), "m.pt: which of the arrays"));
  std::ofstream(path("how.json")) << R"({"chanels": "grey"})";
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data images --preprocess how.json"),
                       "how.json: preprocessing: the key 'chanels' is unknown; did you mean channels?"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --tokens y.npy"), "does not say how many tokens"));
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data x.npy --output logitz"), "output 'logitz'"));
  EXPECT_TRUE(contains(fail(1, "run m.pt --output-dir out"), "is missing: --input"));
  EXPECT_TRUE(contains(fail(1, "run m.pt --input y.npy --output-dir out"), "input"));
  EXPECT_TRUE(contains(fail(1, "run m.pt --input a=x.npy"), "the model has no input 'a'"));
  EXPECT_TRUE(contains(fail(1, "run m.pt --input x.npy --input x.npy"), "is given twice"));
  std::filesystem::copy_file(path("x.npy"), path("cut.npy"));
  std::filesystem::resize_file(path("cut.npy"), 1000);
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data cut.npy"), "cut.npy: the .npy header says"));
  std::filesystem::resize_file(path("images/3.png"), 200);
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data images --channels grey --scale 1/255"),
                       "images/3.png: the PNG is damaged"));
  (void)fail(1, "eval m.pt --data images --channels grey --predictions p.csv");
  EXPECT_FALSE(std::filesystem::exists(path("p.csv")));
}

}  // namespace
}  // namespace zeropoint
