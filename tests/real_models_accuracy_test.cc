// Accuracy in float of real models on real data: the figures that ONNX Runtime gives on the same images,
// which agreed on every one of them when they were compared. One image more or less is for other machines'
// float32.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "lenet_for_test.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/cifar.h"
#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/image_data.h"
#include "zeropoint/toolchain/models.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

class RealModels : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ZEROPOINT_DATA");
    if (folder == nullptr || *folder == '\0') {
      GTEST_SKIP() << "ZEROPOINT_DATA names no folder with models/ and their data";
    }
    folder_ = folder;
  }

  [[nodiscard]] Evaluation evaluated(const std::string& model, std::shared_ptr<const Dataset> data,
                                     const EvaluationOptions& options = {}) const {
    Graph graph = expect_ok(read_onnx(folder_ + "/models/" + model));
    EvaluationOptions how = options;
    how.batch_size = 32;
    return expect_ok(evaluate(expect_ok(float_model(graph)), std::move(data), how));
  }

  [[nodiscard]] std::shared_ptr<const Dataset> imagenet(const std::string& description) const {
    return expect_ok(preprocessed_images(expect_ok(open_image_folder(folder_ + "/imagenet/val")),
                                         expect_ok(preprocess_from_json(description))));
  }

  [[nodiscard]] std::shared_ptr<const ArraySource> array(const std::string& file) const {
    return expect_ok(open_npy(folder_ + "/" + file));
  }

  std::string folder_;
};

TEST_F(RealModels, SqueezeNetOnImageNet) {
  Evaluation result =
      evaluated("squeezenet1.1.onnx", imagenet(R"({"resize": [224, 224], "interpolation": "area",
                                                                   "channels": "bgr", "mean": [104, 117, 123]})"));
  EXPECT_EQ(result.count, 650);
  EXPECT_NEAR(static_cast<double>(result.correct), 454, 1);
}

TEST_F(RealModels, MobileNetOnImageNet) {
  EvaluationOptions options;
  options.label_offset = 1;
  Evaluation result =
      evaluated("mobilenetv1_0.25.onnx", imagenet(R"({"resize": [224, 224], "interpolation": "area",
                                                                      "scale": "1/127.5", "mean": 1})"),
                options);
  EXPECT_EQ(result.classes.size(), 1000U);
  EXPECT_NEAR(static_cast<double>(result.correct), 413, 1);
}

TEST_F(RealModels, ResNetOnCifar) {
  Preprocess how = expect_ok(preprocess_from_json(
      R"({"scale": "1/255", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})"));
  auto images = [&](const std::string& file) -> std::shared_ptr<const Dataset> {
    return expect_ok(
        preprocessed_images(expect_ok(images_in_memory(expect_ok(read_cifar(folder_ + file)))), how));
  };
  EXPECT_NEAR(static_cast<double>(evaluated("resnet20_cifar10.onnx", images("/cifar10/test.bin")).correct),
              1609, 1);
  EXPECT_NEAR(
      static_cast<double>(evaluated("resnet20_cifar10.onnx", images("/cifar10/clean200.bin")).correct), 185,
      1);
}

TEST_F(RealModels, DsCnnOnSpeechCommands) {
  Evaluation result =
      evaluated("dscnn_kws.onnx",
                expect_ok(array_dataset(array("kws/test_features.npy"), array("kws/test_labels.npy"))));
  EXPECT_EQ(result.count, 800);
  EXPECT_NEAR(static_cast<double>(result.correct), 726, 1);
}

TEST_F(RealModels, StoriesInPerplexity) {
  Evaluation result =
      evaluated("stories260k_seq128.onnx",
                expect_ok(token_dataset(array("stories260k/test_tokens.npy"), {.window = 128})));
  EXPECT_EQ(result.count, 69 * 128);
  EXPECT_NEAR(std::exp(result.mean_loss), 5.004, 0.001);
}

}  // namespace
}  // namespace zeropoint::toolchain
