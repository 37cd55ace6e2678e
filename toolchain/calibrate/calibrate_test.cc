#include "zeropoint/toolchain/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

/// Samples [1, 2, 2] written out in a list.
class ListDataset final : public Dataset {
 public:
  explicit ListDataset(std::vector<std::vector<float>> samples) : samples_(std::move(samples)) {}

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  [[nodiscard]] const Shape& sample_shape() const override { return shape_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::int64_t) const override { return -1; }
  Status read_bytes(std::int64_t index, std::span<std::byte> bytes) const override {
    ZP_RETURN_IF_ERROR(check_read(index, bytes));
    std::span<float> out(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
    std::ranges::copy(samples_[static_cast<std::size_t>(index)], out.begin());
    return {};
  }
  [[nodiscard]] std::string description() const override { return "a list"; }

  void set_shape(Shape shape) { shape_ = std::move(shape); }

 private:
  std::vector<std::vector<float>> samples_;
  Shape shape_{1, 2, 2};
  std::vector<std::string> names_;
};

std::shared_ptr<ListDataset> samples(std::vector<std::vector<float>> values) {
  return std::make_shared<ListDataset>(std::move(values));
}

/// input [N, 1, 2, 2] -> Conv (the sum of the four, times `factor`, minus 1) sum -> Relu y
Graph network(float factor = 1) {
  Graph graph;
  ValueId x = graph.add_input("input", ElementType::kFloat32, {Dim("N"), 1, 2, 2});
  ValueId w = graph.add_constant("w", Tensor::of<float>({1, 1, 2, 2}, std::vector<float>(4, factor)));
  ValueId b = graph.add_constant("b", Tensor::of<float>({1}, {-1}));
  ValueId c = graph.add_node(Op::kConv, "conv", {x, w, b}, "sum");
  graph.outputs = {graph.add_node(Op::kRelu, "relu", {c}, "y")};
  EXPECT_TRUE(infer_shapes(graph).ok());
  return graph;
}

Result<RangeTable> calibrated(const std::shared_ptr<const Dataset>& data, int threads = 1,
                              const Graph& graph = network()) {
  CalibrationOptions options;
  options.threads = threads;
  return calibrate(graph, data, {}, options);
}

TEST(Calibrate, FindsTheRangeOfEachFloatTensor) {
  Result<RangeTable> table = calibrated(samples({{1, 2, 3, 4}, {-1, -2, 0, 0}, {0, 0, 0, 5}}));
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->method, "minmax");
  EXPECT_EQ(table->samples, 3);
  EXPECT_EQ(table->data, "a list");
  ASSERT_EQ(table->ranges.size(), 3U);  // no constants
  EXPECT_EQ(table->ranges["input"].r_min, -2);
  EXPECT_EQ(table->ranges["input"].r_max, 5);
  EXPECT_EQ(table->ranges["sum"].r_min, -4);
  EXPECT_EQ(table->ranges["sum"].r_max, 9);
  EXPECT_EQ(table->ranges["y"].r_min, 0);
  EXPECT_EQ(table->ranges["y"].r_max, 9);
}

TEST(Calibrate, RunsGraphsOfAFixedBatchInSuch) {
  std::shared_ptr<ListDataset> data = samples({{1, 2, 3, 4}, {-1, -2, 0, 0}, {0, 0, 0, 5}, {7, 0, 0, 0}});
  for (std::int64_t fixed : {1, 2, 4}) {
    Graph graph = network();
    graph.value(graph.inputs[0]).dims->front() = Dim(fixed);
    for (int threads : {1, 3, 64}) {
      Result<RangeTable> table = calibrated(data, threads, graph);
      ASSERT_TRUE(table.ok()) << table.status().message();
      EXPECT_EQ(table->samples, 4);
      EXPECT_EQ(table->ranges["input"].r_max, 7);
      EXPECT_EQ(table->ranges["sum"].r_min, -4);
    }
  }
  Graph graph = network();
  graph.value(graph.inputs[0]).dims->front() = Dim(3);
  EXPECT_EQ(calibrated(data, 2, graph).status().message(),
            "the graph takes batches of 3 samples, and 4 are no multiple of it");
}

TEST(Calibrate, NamesTensorNodeAndSampleOfWhatIsNotFinite) {
  std::vector<std::vector<float>> values(7, std::vector<float>(4, 1));
  values[4][3] = NAN;
  for (int threads : {1, 3, 7}) {
    EXPECT_EQ(calibrated(samples(values), threads).status().message(),
              "tensor 'input' (an input) is nan at sample 4");
  }
  values[4][3] = -kInf;
  EXPECT_EQ(calibrated(samples(values)).status().message(), "tensor 'input' (an input) is -inf at sample 4");
  values[4][3] = 1e30F;
  EXPECT_EQ(calibrated(samples(values), 3, network(1e30F)).status().message(),
            "tensor 'sum' (made by Conv 'conv') is inf at sample 4");
}

TEST(Calibrate, RefusesDataThatDoesNotFit) {
  EXPECT_EQ(calibrated(samples({})).status().message(),
            "calibration needs samples, and there are none in: a list");
  std::shared_ptr<ListDataset> other = samples({{1, 2, 3, 4}});
  other->set_shape({1, 4, 1});
  EXPECT_EQ(calibrated(other).status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(calibrated(other).status().message().find("input"), std::string::npos);
}

TEST(Calibrate, SaysHowFarItIsAndStopsWhereItIsAskedTo) {
  // 64 runs per thread and batch of a graph as small as this one.
  std::shared_ptr<const Dataset> data = samples(std::vector(200, std::vector<float>(4, 1)));
  std::vector<std::pair<std::int64_t, std::int64_t>> calls;
  CalibrationOptions options;
  options.threads = 1;
  options.progress = [&](std::int64_t done, std::int64_t total) { calls.emplace_back(done, total); };
  ASSERT_TRUE(calibrate(network(), data, {}, options).ok());
  EXPECT_EQ(calls, (std::vector<std::pair<std::int64_t, std::int64_t>>{
                       {64, 200}, {128, 200}, {192, 200}, {200, 200}}));
  calls.clear();
  options.stop = [&] { return calls.size() == 2; };
  Result<Statistics> stopped = gather_statistics(network(), std::span(&data, 1), options);
  ASSERT_TRUE(stopped.ok()) << stopped.status().message();
  EXPECT_EQ(stopped->samples(), 128);
  EXPECT_EQ(stopped->tensors["y"].count(), 128);
}

TEST(Calibrate, MaskedScoresMayBeInfinite) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1, 2, 2});
  ValueId mask = graph.add_constant("mask", Tensor::of<float>({2, 2}, std::vector<float>{0, -kInf, 0, 0}));
  ValueId sum = graph.add_node(Op::kAdd, "add", {x, mask}, "masked");
  graph.outputs = {graph.add_node(Op::kSoftmax, "softmax", {sum}, "p")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  Result<RangeTable> table = calibrated(samples({{1, 2, 3, 4}}), 1, graph);
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->ranges.count("masked"), 0U);
  EXPECT_EQ(table->ranges["x"].r_max, 4);
}

TEST(Calibrate, InputsAreRunSideBySide) {
  Graph graph;
  ValueId a = graph.add_input("a", ElementType::kFloat32, {Dim("N"), 1, 2, 2});
  ValueId b = graph.add_input("b", ElementType::kFloat32, {Dim("N"), 1, 2, 2});
  graph.outputs = {graph.add_node(Op::kSub, "sub", {a, b}, "difference")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  std::shared_ptr<const Dataset> data[] = {samples({{1, 2, 3, 4}, {5, 6, 7, 8}, {0, 0, 0, 1}}),
                                           samples({{1, 1, 1, 1}, {9, 9, 9, 9}, {0, 0, 0, 0}})};
  for (int threads : {1, 2}) {
    CalibrationOptions options;
    options.threads = threads;
    Result<RangeTable> table = calibrate(graph, data, {}, options);
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(table->samples, 3);
    EXPECT_EQ(table->ranges["difference"].r_min, -4);
    EXPECT_EQ(table->ranges["difference"].r_max, 3);
    EXPECT_EQ(table->ranges["b"].r_max, 9);
  }
  data[1] = samples({{1, 1, 1, 1}});
  EXPECT_EQ(calibrate(graph, data).status().message(),
            "there are 3 samples of one input and 1 of another: a list; a list");
  EXPECT_EQ(calibrate(graph, data[0]).status().message(),
            "the graph has 2 inputs, and there are samples for 1");
}

}  // namespace
}  // namespace zeropoint::toolchain
