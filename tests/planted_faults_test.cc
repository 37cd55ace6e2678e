// Ten quantized networks, six by zeropoint and four by ONNX Runtime, each with one layer spoiled on purpose:
// the verdict names that layer first.

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "lenet_for_test.h"
#include "report/planted_faults_for_test.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/cifar.h"
#include "zeropoint/toolchain/image_data.h"
#include "zeropoint/toolchain/measure.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/qdq.h"
#include "zeropoint/toolchain/quantize_network.h"
#include "zeropoint/toolchain/verdict.h"

namespace zeropoint::toolchain {
namespace {

using Data = std::shared_ptr<const Dataset>;

struct Network {
  std::string name;
  Graph reference;
  Graph quantized;
  Data data;
  QuantPlan plan = {};  ///< of our own quantizer
  bool is_own = false;
};

struct Fault {
  std::string name;
  /// Spoils the layer; false where it has nothing of that kind.
  std::function<bool(Graph&, const QuantizedPoint&)> plant;
};

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> faults{
      {"scale x8", [](Graph& g, const QuantizedPoint& p) { return faults::spoil_scale(g, p, 8), true; }},
      {"scale /8", [](Graph& g, const QuantizedPoint& p) { return faults::spoil_scale(g, p, 0.125F), true; }},
      {"zero point",
       [](Graph& g, const QuantizedPoint& p) { return faults::shift_zero_point(g, p, 100), true; }},
      {"weight scale x4",
       [](Graph& g, const QuantizedPoint& p) { return faults::spoil_constant(g, p, 1, 4); }},
      {"one channel's scale x8",
       [](Graph& g, const QuantizedPoint& p) { return faults::spoil_constant(g, p, 1, 8, 2); }},
      {"bias scale x8", [](Graph& g, const QuantizedPoint& p) { return faults::spoil_constant(g, p, 2, 8); }},
  };
  return faults;
}

class PlantedFaults : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ZEROPOINT_DATA");
    if (folder == nullptr || *folder == '\0') {
      GTEST_SKIP() << "ZEROPOINT_DATA names no folder with models/ and their data";
    }
    folder_ = std::string(folder) + "/";
  }

  [[nodiscard]] Network by_zeropoint(const std::string& name, Graph graph, const Data& data) const {
    PreparedNetwork prepared = expect_ok(prepare_network(graph));
    Evidence evidence;
    evidence.data = {data};
    evidence.statistics = expect_ok(gather_statistics(prepared.graph, evidence.data));
    NetworkQuantizer quantizer(std::move(prepared.graph), std::move(evidence));
    QuantizedNetwork made = expect_ok(quantizer.quantize({}));
    return {name, std::move(graph), std::move(made.graph), data, std::move(made.plan), true};
  }

  [[nodiscard]] Network by_onnx_runtime(const std::string& file, Graph graph, const Data& data) const {
    Graph quantized = expect_ok(read_onnx(folder_ + "models_quantized_by_ort/" + file));
    return {file, std::move(graph), expect_ok(to_qdq(quantized)), data};
  }

  [[nodiscard]] Graph model(const std::string& file) const {
    return expect_ok(read_onnx(folder_ + "models/" + file));
  }

  [[nodiscard]] Data some(Data data, std::int64_t count) const {
    return expect_ok(first_samples(std::move(data), count));
  }

  [[nodiscard]] std::shared_ptr<const ArraySource> array(const std::string& file) const {
    return expect_ok(open_npy(folder_ + file));
  }

  [[nodiscard]] Data photos(const std::string& description) const {
    return some(expect_ok(preprocessed_images(expect_ok(open_image_folder(folder_ + "imagenet/calibration")),
                                              expect_ok(preprocess_from_json(description)))),
                4);
  }

  [[nodiscard]] std::vector<Network> networks() const {
    Graph lenet = expect_ok(make_architecture("lenet"));
    EXPECT_TRUE(load_parameters(lenet, expect_ok(read_state_dict(folder_ + "lenet/model.pt"))).ok());
    Data digits = some(expect_ok(load_mnist(folder_, Split::kTrain)), 64);
    Data cifar =
        some(expect_ok(preprocessed_images(
                 expect_ok(images_in_memory(expect_ok(read_cifar(folder_ + "cifar10/train.bin")))),
                 expect_ok(preprocess_from_json(
                     R"({"scale": "1/255", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})")))),
             16);
    Data words = some(
        expect_ok(array_dataset(array("kws/calibration_features.npy"), array("kws/calibration_labels.npy"))),
        64);
    Data stories =
        some(expect_ok(token_dataset(array("stories260k/calibration_tokens.npy"), {.window = 128})), 8);
    Graph resnet = model("resnet20_cifar10.onnx");
    Graph dscnn = model("dscnn_kws.onnx");
    return {
        by_zeropoint("LeNet", lenet, digits),
        by_zeropoint("ResNet-20", resnet, cifar),
        by_zeropoint("SqueezeNet", model("squeezenet1.1.onnx"),
                     photos(R"({"resize": [224, 224], "interpolation": "area", "channels": "bgr",
                                "mean": [104, 117, 123]})")),
        by_zeropoint(
            "MobileNetV1", model("mobilenetv1_0.25.onnx"),
            photos(R"({"resize": [224, 224], "interpolation": "area", "scale": "1/127.5", "mean": 1})")),
        by_zeropoint("DS-CNN", dscnn, words),
        by_zeropoint("stories260k", model("stories260k_seq128.onnx"), stories),
        by_onnx_runtime("lenet_int8_pc_qop_u8.onnx", lenet, digits),
        by_onnx_runtime("resnet20_b.onnx", resnet, cifar),
        by_onnx_runtime("resnet20_q.onnx", resnet, cifar),
        by_onnx_runtime("dscnn_a.onnx", dscnn, words),
    };
  }

  std::string folder_;
};

std::vector<Finding> findings_of(const Network& network, const Graph& quantized) {
  MeasureOptions options;
  options.use_labels = false;
  options.plan = network.is_own ? &network.plan : nullptr;
  return verdict(expect_ok(measure(network.reference, quantized, std::span(&network.data, 1), options)));
}

/// Plants in the first layer from `start` on that has what is to be spoiled; says in which.
std::optional<std::size_t> plant(Graph& graph, const std::vector<QuantizedPoint>& points, const Fault& fault,
                                 std::size_t start) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::size_t at = (start + i) % points.size();
    if (!points[at].only_moves && points[at].quantization && points[at].maker != nullptr &&
        fault.plant(graph, points[at])) {
      return at;
    }
  }
  return std::nullopt;
}

TEST_F(PlantedFaults, AreNamedFirst) {
  int named = 0;
  int planted = 0;
  int networks_named = 0;
  std::size_t turn = 0;
  for (const Network& network : networks()) {
    if (network.is_own) {  // calibrated on the samples that it is measured on
      std::vector<Finding> sound = findings_of(network, network.quantized);
      EXPECT_FALSE(!sound.empty() && sound[0].is_fault)
          << network.name << ": " << sound[0].tensor << ": " << sound[0].why;
    }
    std::vector<QuantizedPoint> points = find_points(network.reference, network.quantized).points;
    // Two kinds of fault for each network, each in a layer of its own.
    for (int i = 0; i < 2; ++i, ++turn) {
      Graph spoiled = network.quantized;
      const Fault* fault = &all_faults()[turn % all_faults().size()];
      std::optional<std::size_t> place = plant(spoiled, points, *fault, turn * 7 + 1);
      if (!place) {  // a network without biases, say
        fault = &all_faults()[turn % 2];
        place = plant(spoiled, points, *fault, turn * 7 + 1);
      }
      ASSERT_TRUE(place.has_value());
      const QuantizedPoint& point = points[*place];
      std::string tensor = network.reference.value(point.reference).name;
      std::vector<Finding> findings = findings_of(network, spoiled);
      bool found = !findings.empty() && findings[0].tensor == tensor;
      ++planted;
      named += found ? 1 : 0;
      networks_named += found && i == 0 ? 1 : 0;
      if (!found) {
        std::printf("%s, %s at '%s': the verdict names '%s': %s\n", network.name.c_str(), fault->name.c_str(),
                    tensor.c_str(), findings[0].tensor.c_str(), findings[0].why.c_str());
      }
    }
  }
  std::printf("named first: %d of 10 networks, %d of %d faults\n", networks_named, named, planted);
  EXPECT_GE(networks_named, 9);
  EXPECT_GE(named, planted * 9 / 10);
}

}  // namespace
}  // namespace zeropoint::toolchain
