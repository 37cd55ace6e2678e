// Forms of old opsets that the writer never gives; what it does give is read in export/onnx_opset_test.cc.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "import/onnx_model_for_test.h"

namespace zeropoint::toolchain {
namespace {

using Model = OnnxModelForTest;

Tensor counting(const Shape& shape) {
  Tensor tensor(ElementType::kFloat32, shape);
  std::iota(tensor.data<float>().begin(), tensor.data<float>().end(), -3.0F);
  return tensor;
}

Tensor ones(const Shape& shape) {
  Tensor tensor(ElementType::kFloat32, shape);
  std::fill(tensor.data<float>().begin(), tensor.data<float>().end(), 1.0F);
  return tensor;
}

TEST(OnnxUpgrades, SoftmaxOfOldIsOverAllAxesFromOneOn) {
  for (std::int64_t axis : {1, 0, -2}) {
    Model model(11);
    model.input("x", {2, 2, 3});
    Model::set(model.node("Softmax", {"x"}, {"y"}), "axis", axis);
    model.output("y");
    Tensor x = counting({2, 2, 3});
    Tensor y = model.run({x}).at(0);
    ASSERT_EQ(y.shape(), x.shape());
    std::size_t row = axis == 0 ? 12 : 6;
    for (std::size_t start = 0; start < 12; start += row) {
      double sum = 0;
      for (std::size_t i = 0; i < row; ++i) {
        sum += std::exp(double{x.data<float>()[start + i]});
      }
      for (std::size_t i = 0; i < row; ++i) {
        EXPECT_NEAR(y.data<float>()[start + i], std::exp(double{x.data<float>()[start + i]}) / sum, 1e-6);
      }
    }
  }
}

TEST(OnnxUpgrades, GroupNormalizationOf18HasOneScalePerGroup) {
  auto run = [](std::int64_t opset, const Tensor& scale) {
    Model model(opset);
    model.input("x", {1, 4, 3});
    model.weight("s", scale);
    model.weight("b", scale);
    Model::set(model.node("GroupNormalization", {"x", "s", "b"}, {"y"}), "num_groups", std::int64_t{2});
    model.output("y");
    return model.run({counting({1, 4, 3})}).at(0);
  };
  EXPECT_EQ(run(18, Tensor::of<float>({2}, std::vector<float>{2, 3})),
            run(21, Tensor::of<float>({4}, std::vector<float>{2, 2, 3, 3})));
}

TEST(OnnxUpgrades, NormalizationsOfOnnxRuntime) {
  Model model(17);
  model.input("x", {2, 3});
  model.weight("s", ones({3}));
  model.node("SimplifiedLayerNormalization", {"x", "s"}, {"y"});
  model.output("y");
  Result<Graph> graph = model.read();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->nodes.at(0).op, Op::kRMSNormalization);
}

TEST(OnnxUpgrades, UpsampleByBilinearInterpolation) {
  Model model(7);
  model.input("x", {1, 1, 1, 2});
  onnx::NodeProto& node = model.node("Upsample", {"x"}, {"y"});
  Model::set(node, "scales", std::vector<float>{1, 1, 1, 2});
  Model::set(node, "mode", std::string("bilinear"));
  model.output("y");
  Tensor y = model.run({Tensor::of<float>({1, 1, 1, 2}, std::vector<float>{0, 1})}).at(0);
  EXPECT_EQ(y, Tensor::of<float>({1, 1, 1, 4}, std::vector<float>{0, 0.5F, 1, 1}));
}

TEST(OnnxUpgrades, StatisticsPerPositionAreAnError) {
  Model model(7);
  model.input("x", {1, 2, 2});
  for (const char* name : {"s", "b", "m", "v"}) {
    model.weight(name, ones({2}));
  }
  Model::set(model.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}), "spatial", std::int64_t{0});
  model.output("y");
  EXPECT_EQ(
      model.message(),
      "m.onnx: BatchNormalization 'make_y' of opset 7: statistics for each position (spatial = 0) are not "
      "supported");
}

TEST(OnnxUpgrades, QuantizationOfMicrosoftIsThatOfOnnx) {
  Model model(13);
  onnx::OperatorSetIdProto& opset = *model.proto.add_opset_import();
  opset.set_domain("com.microsoft");
  opset.set_version(1);
  model.input("x", {3});
  model.weight("s", Tensor::of<float>({}, std::vector<float>{0.5F}));
  model.weight("z", Tensor::of<std::uint16_t>({}, std::vector<std::uint16_t>{1000}));
  model.node("QuantizeLinear", {"x", "s", "z"}, {"q"}).set_domain("com.microsoft");
  model.node("DequantizeLinear", {"q", "s", "z"}, {"y"}).set_domain("com.microsoft");
  model.output("y");
  Result<Graph> graph = model.read();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->nodes.at(0).op, Op::kQuantizeLinear);
  EXPECT_EQ(graph->value(graph->find("q")).type, ElementType::kUint16);
  EXPECT_EQ(model.run({Tensor::of<float>({3}, std::vector<float>{0.7F, -600, 1e6F})}).at(0),
            Tensor::of<float>({3}, std::vector<float>{0.5F, -500, 32267.5F}));
}

TEST(OnnxUpgrades, AScaleBesideAZeroPointOfAnotherForm) {
  Model model(13);
  model.input("x", {2}, ElementType::kInt8);
  model.weight("s", Tensor::of<float>({1}, std::vector<float>{0.5F}));
  model.weight("z", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{1}));
  model.node("DequantizeLinear", {"x", "s", "z"}, {"y"});
  model.output("y");
  EXPECT_EQ(model.run({Tensor::of<std::int8_t>({2}, std::vector<std::int8_t>{3, -1})}).at(0),
            Tensor::of<float>({2}, std::vector<float>{1, -1}));
}

}  // namespace
}  // namespace zeropoint::toolchain
