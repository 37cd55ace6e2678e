#include "zeropoint/toolchain/architectures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "zeropoint/toolchain/parameter.h"

namespace zeropoint::toolchain {
namespace {

TEST(Architectures, LeNetHasTheTensorsOfTheCourse) {
  Result<Graph> graph = make_architecture("lenet");
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  std::string listed;
  std::int64_t count = 0;
  for (const auto& [name, tensor] : parameters_of(*graph).tensors) {
    listed += name + zeropoint::to_string(tensor.shape()) + " ";
    count += tensor.size();
  }
  EXPECT_EQ(
      listed,
      "conv1.weight[6, 1, 5, 5] conv1.bias[6] conv2.weight[16, 6, 5, 5] conv2.bias[16] fc1.weight[120, 256] "
      "fc1.bias[120] fc2.weight[84, 120] fc2.bias[84] fc3.weight[10, 84] fc3.bias[10] ");
  EXPECT_EQ(count, 44426);
  std::string nodes;
  for (const Node& node : graph->nodes) {
    nodes += node.name + " ";
  }
  EXPECT_EQ(nodes, "conv1 relu1 maxpool1 conv2 relu2 maxpool2 flatten fc1 relu3 fc2 relu4 fc3 ");
  EXPECT_EQ(to_string(*graph->value(graph->find("logits")).dims), "[N, 10]");
}

TEST(Architectures, WeightsFillTheRangeOfTheFanInAndFollowTheSeed) {
  Result<Graph> graph = make_architecture("lenet", {.classes = 4, .seed = 1});
  ASSERT_TRUE(graph.ok());
  StateDict tensors = parameters_of(*graph);
  auto expect_fills = [&](std::string_view name, double fan_in) {
    std::span<const float> data = tensors.find(name)->data<float>();
    auto [low, high] = std::minmax_element(data.begin(), data.end());
    double bound = 1 / std::sqrt(fan_in);
    EXPECT_GE(*low, -bound) << name;
    EXPECT_LE(*high, bound) << name;
    EXPECT_LT(*low, -0.7 * bound) << name;
    EXPECT_GT(*high, 0.7 * bound) << name;
  };
  expect_fills("conv1.weight", 25);
  expect_fills("conv2.weight", 150);
  expect_fills("fc1.weight", 256);
  expect_fills("fc1.bias", 256);
  expect_fills("fc3.weight", 84);
  EXPECT_EQ(tensors.find("fc3.bias")->shape(), Shape{4});
  EXPECT_EQ(parameters_of(*make_architecture("lenet", {.classes = 4, .seed = 1})).tensors, tensors.tensors);
  EXPECT_NE(parameters_of(*make_architecture("lenet", {.classes = 4, .seed = 2})).tensors, tensors.tensors);
}

TEST(Architectures, SaysWhatItKnows) {
  EXPECT_EQ(make_architecture("lenett").status().message(), "unknown architecture 'lenett'; there is lenet");
  EXPECT_FALSE(make_architecture("lenet", {.classes = 0}).ok());
}

class LoadParameters : public ::testing::Test {
 protected:
  Graph graph_ = *make_architecture("lenet", {.seed = 1});
  StateDict tensors_ = parameters_of(*make_architecture("lenet", {.seed = 2}));
};

TEST_F(LoadParameters, ReplacesAllOrNothing) {
  Graph before = graph_;
  ASSERT_TRUE(load_parameters(graph_, tensors_).ok());
  EXPECT_EQ(parameters_of(graph_).tensors, tensors_.tensors);
  // Graphs are values: the copy keeps what it had.
  EXPECT_NE(parameters_of(before).tensors, tensors_.tensors);
  std::swap(tensors_.tensors.front(), tensors_.tensors.back());  // the order does not matter
  EXPECT_TRUE(load_parameters(before, tensors_).ok());
}

TEST_F(LoadParameters, ConvertsOtherFloats) {
  Tensor& bias = tensors_.tensors.back().second;
  ASSERT_EQ(tensors_.tensors.back().first, "fc3.bias");
  bias = Tensor::of<double>({10}, std::vector<double>(10, 0.1));
  ASSERT_TRUE(load_parameters(graph_, tensors_).ok());
  EXPECT_EQ(*parameters_of(graph_).find("fc3.bias"), Tensor::of<float>({10}, std::vector<float>(10, 0.1F)));
}

TEST_F(LoadParameters, NamesWhatIsMissingOrUnexpected) {
  tensors_.tensors[4].first = "fc1.wieght";
  EXPECT_EQ(load_parameters(graph_, tensors_).message(),
            "lenet needs fc1.weight, missing here; lenet has no fc1.wieght");
  tensors_ = parameters_of(graph_);
  tensors_.tensors.emplace_back("input", Tensor());
  EXPECT_EQ(load_parameters(graph_, tensors_).message(), "lenet has no input");
  tensors_.tensors.clear();
  EXPECT_NE(load_parameters(graph_, tensors_).message().find("conv1.bias, conv2.weight"), std::string::npos);
}

TEST_F(LoadParameters, NamesAWrongShapeTypeOrNumber) {
  Tensor& fc1 = tensors_.tensors[4].second;
  fc1 = Tensor(ElementType::kFloat32, {120, 400});
  EXPECT_EQ(load_parameters(graph_, tensors_).message(), "fc1.weight is [120, 400]; lenet needs [120, 256]");
  fc1 = Tensor(ElementType::kInt64, {120, 256});
  EXPECT_EQ(load_parameters(graph_, tensors_).message().substr(0, 11), "fc1.weight:");
  fc1 = Tensor(ElementType::kFloat32, {120, 256});
  fc1.data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(load_parameters(graph_, tensors_).message(),
            "fc1.weight holds nan at element 7; weights must be finite numbers");
  EXPECT_EQ(parameters_of(graph_).tensors, parameters_of(*make_architecture("lenet", {.seed = 1})).tensors);
}

}  // namespace
}  // namespace zeropoint::toolchain
