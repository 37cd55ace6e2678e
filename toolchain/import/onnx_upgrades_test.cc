// Forms of old opsets that the writer never gives; what it does give is read in export/onnx_opset_test.cc.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "import/onnx_model_for_test.h"
#include "zeropoint/half.h"

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

/// The message for one node of an old opset on an input [2, 3, 4].
std::string refusal(std::int64_t opset, const std::string& op, std::initializer_list<const char*> inputs,
                    const std::string& attribute = "", std::int64_t value = 0) {
  Model model(opset);
  model.input("x", {2, 3, 4});
  model.weight("w", ones({3}));
  onnx::NodeProto& node = model.node(op, inputs, {"y"});
  if (!attribute.empty()) {
    Model::set(node, attribute, value);
  }
  model.output("y");
  return model.read().status().message();
}

TEST(OnnxUpgrades, InputsThatAreMissing) {
  EXPECT_NE(refusal(18, "GroupNormalization", {"", "w", "w"}, "num_groups", 3), "");
  EXPECT_NE(refusal(6, "Add", {"x", ""}, "axis", 1), "");
  EXPECT_NE(refusal(6, "PRelu", {"x", ""}), "");
  EXPECT_NE(refusal(5, "Tile", {"x", "", ""}), "");
  EXPECT_NE(refusal(12, "Softmax", {""}), "");
}

Tensor run_old(std::int64_t opset, const std::string& op, const Tensor& second,
               const std::function<void(onnx::NodeProto&)>& change = {}) {
  Model model(opset);
  model.input("x", {2, 3, 4});
  model.weight("w", second);
  onnx::NodeProto& node = model.node(op, {"x", "w"}, {"y"});
  if (change) {
    change(node);
  }
  model.output("y");
  return model.run({counting({2, 3, 4})}).at(0);
}

TEST(OnnxUpgrades, Opset27CountsInHalves) {
  auto model = [](std::int64_t stash_type) {
    Model made(27);
    for (auto [name, value] :
         {std::pair("start", 1.0F), std::pair("limit", 2.0F), std::pair("delta", 0.25F)}) {
      made.weight(name, narrow(Tensor::of<float>({}, std::vector<float>{value}), ElementType::kFloat16));
    }
    Model::set(made.node("Range", {"start", "limit", "delta"}, {"y"}), "stash_type", stash_type);
    made.output("y");
    return made;
  };
  Tensor expected = Tensor::of<float>({4}, std::vector<float>{1, 1.25F, 1.5F, 1.75F});
  EXPECT_EQ(model(1).run({}).at(0), narrow(expected, ElementType::kFloat16));
  EXPECT_NE(model(10).message().find("its stash_type is not 1"), std::string::npos);
}

TEST(OnnxUpgrades, BeforeOpset7InputsAreBroadcastFromAnAxisOn) {
  Tensor row = Tensor::of<float>({3}, std::vector<float>{10, 20, 30});
  Tensor sum = run_old(6, "Add", row, [](onnx::NodeProto& node) {
    Model::set(node, "broadcast", std::int64_t{1});
    Model::set(node, "axis", std::int64_t{1});
  });
  EXPECT_EQ(sum, run_old(7, "Add", Tensor::of<float>({3, 1}, std::vector<float>{10, 20, 30})));
  EXPECT_EQ(run_old(6, "PRelu", row),
            run_old(7, "PRelu", Tensor::of<float>({3, 1}, std::vector<float>{10, 20, 30})));
  EXPECT_NE(refusal(6, "Add", {"x", "w"}, "axis", 3), "");
}

TEST(OnnxUpgrades, AttributesOfTheFirstOpsets) {
  Model model(1);
  model.input("x", {2, 6});
  Model::set(model.node("Reshape", {"x"}, {"r"}), "shape", std::vector<std::int64_t>{3, 4});
  Model::set(model.node("Pad", {"r"}, {"p"}), "paddings", std::vector<std::int64_t>{0, 1, 0, 0});
  Model::set(model.node("Cast", {"p"}, {"c"}), "to", std::string("INT32"));
  Model::set(model.node("Cast", {"c"}, {"f"}), "to", std::string("FLOAT"));
  model.node("Concat", {"f", "f"}, {"y"});
  model.output("y");
  Tensor y = model.run({counting({2, 6})}).at(0);
  ASSERT_EQ(y.shape(), (Shape{3, 10}));
  EXPECT_EQ(y.data<float>()[0], 0);
  EXPECT_EQ(y.data<float>()[1], -3);
  EXPECT_EQ(y.data<float>()[9], 0);
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

/// What a Resize of opset 10, nearest, makes of a row of 0, 1, 2, ...
std::vector<float> resized_row(std::int64_t columns, const std::vector<float>& scales) {
  Model model(10);
  model.input("x", {1, columns});
  model.weight("s", Tensor::of<float>({2}, scales));
  model.node("Resize", {"x", "s"}, {"y"});
  model.output("y");
  Tensor x(ElementType::kFloat32, {1, columns});
  std::iota(x.data<float>().begin(), x.data<float>().end(), 0.0F);
  Tensor y = model.run({x}).at(0);
  return {y.data<float>().begin(), y.data<float>().end()};
}

// ONNX's test resize_downsample_nearest of opset 10 has the scale 0.6.
TEST(OnnxUpgrades, NearestPixelsOfOpset10ComeAfterWhereTheImageShrinks) {
  EXPECT_EQ(resized_row(4, {1, 0.6F}), (std::vector<float>{0, 2}));
  EXPECT_EQ(resized_row(8, {1, 0.75F}), (std::vector<float>{0, 2, 3, 4, 6, 7}));
  EXPECT_EQ(resized_row(2, {1, 1.5F}), (std::vector<float>{0, 0, 1}));
  Model mixed(10);
  mixed.input("x", {1, 4});
  mixed.weight("s", Tensor::of<float>({2}, std::vector<float>{2, 0.5F}));
  mixed.node("Resize", {"x", "s"}, {"y"});
  mixed.output("y");
  EXPECT_NE(mixed.message().find("grows along one axis and shrinks along another"), std::string::npos);
}

TEST(OnnxUpgrades, BoundsHaveTheTypeOfWhatTheyBound) {
  for (ElementType type : {ElementType::kFloat16, ElementType::kFloat64}) {
    Model model(10);
    model.input("x", {3}, type);
    Model::set(model.node("Clip", {"x"}, {"c"}), "max", 1.0F);
    onnx::NodeProto& pad = model.node("Pad", {"c"}, {"y"});
    Model::set(pad, "pads", std::vector<std::int64_t>{1, 0});
    Model::set(pad, "value", 2.0F);
    model.output("y");
    Result<Graph> graph = model.read();
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(graph->value(graph->outputs[0]).type, type);
  }
}

TEST(OnnxUpgrades, SoftmaxOfOldOfNothing) {
  Model model(11);
  model.input("x", {0, 3, 2});
  model.node("Softmax", {"x"}, {"y"});
  model.output("y");
  EXPECT_EQ(model.run({Tensor(ElementType::kFloat32, {0, 3, 2})}).at(0).shape(), (Shape{0, 3, 2}));
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
