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

Result<RangeTable> calibrated(const std::shared_ptr<const Dataset>& data, std::int64_t batch_size = 2,
                              const Graph& graph = network()) {
  CalibrationOptions options;
  options.batch_size = batch_size;
  options.threads = 1;
  return calibrate(graph, data, options);
}

TEST(Observer, KeepsTheSmallestAndTheLargest) {
  std::unique_ptr<Observer> observer = *make_observer("minmax");
  EXPECT_EQ(observer->range().r_min, kInf);
  EXPECT_EQ(observer->range().r_max, -kInf);
  const float values[] = {3, -2, 7.5F, 0};
  observer->observe(values);
  observer->observe({});
  EXPECT_EQ(observer->range().r_min, -2);
  EXPECT_EQ(observer->range().r_max, 7.5F);
}

TEST(Observer, MergingEqualsObservingTogether) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (std::size_t cut : {0U, 1U, 50U, 100U}) {
    std::vector<float> values(100);
    std::generate(values.begin(), values.end(), [&] { return normal(random); });
    MinMaxObserver whole;
    whole.observe(values);
    MinMaxObserver first;
    MinMaxObserver second;
    first.observe(std::span(values).first(cut));
    second.observe(std::span(values).subspan(cut));
    ASSERT_TRUE(first.merge(second).ok());
    EXPECT_EQ(first.range().r_min, whole.range().r_min);
    EXPECT_EQ(first.range().r_max, whole.range().r_max);
  }
}

TEST(Observer, MergesOnlyItsOwnKindAndHasAName) {
  class Other : public Observer {
    void observe(std::span<const float>) override {}
    Status merge(const Observer&) override { return {}; }
    [[nodiscard]] RealRange range() const override { return {}; }
  };
  MinMaxObserver observer;
  EXPECT_EQ(observer.merge(Other()).message(), "only statistics of one calibration method can be merged");
  EXPECT_EQ(make_observer("mimmax").status().message(),
            "there is no calibration method 'mimmax'; use minmax");
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

TEST(Calibrate, DoesNotDependOnTheBatchSize) {
  std::mt19937 random(5);
  std::vector<std::vector<float>> values(23, std::vector<float>(4));
  for (std::vector<float>& sample : values) {
    std::generate(sample.begin(), sample.end(), [&] { return static_cast<float>(random() % 2001) - 1000; });
  }
  RangeTable one = *calibrated(samples(values), 1);
  for (std::int64_t batch_size : {2, 7, 23, 100}) {
    RangeTable other = *calibrated(samples(values), batch_size);
    for (const auto& [name, range] : one.ranges) {
      EXPECT_EQ(other.ranges[name].r_min, range.r_min) << name;
      EXPECT_EQ(other.ranges[name].r_max, range.r_max) << name;
    }
  }
}

TEST(Calibrate, RunsGraphsOfAFixedBatchInSuch) {
  std::shared_ptr<ListDataset> data = samples({{1, 2, 3, 4}, {-1, -2, 0, 0}, {0, 0, 0, 5}, {7, 0, 0, 0}});
  for (std::int64_t fixed : {1, 2, 4}) {
    Graph graph = network();
    graph.value(graph.inputs[0]).dims->front() = Dim(fixed);
    for (std::int64_t batch_size : {1, 3, 64}) {
      Result<RangeTable> table = calibrated(data, batch_size, graph);
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
  for (std::int64_t batch_size : {1, 3, 7}) {
    EXPECT_EQ(calibrated(samples(values), batch_size).status().message(),
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
  EXPECT_FALSE(calibrated(samples({{1, 2, 3, 4}}), 0).ok());
  CalibrationOptions options;
  options.method = "median";
  EXPECT_EQ(calibrate(network(), samples({{1, 2, 3, 4}}), options).status().message(),
            "there is no calibration method 'median'; use minmax");
}

TEST(Calibrate, SaysHowFarItIs) {
  std::vector<std::pair<std::int64_t, std::int64_t>> calls;
  CalibrationOptions options;
  options.batch_size = 2;
  options.threads = 1;
  options.progress = [&](std::int64_t done, std::int64_t total) { calls.emplace_back(done, total); };
  ASSERT_TRUE(calibrate(network(), samples(std::vector(5, std::vector<float>(4, 1))), options).ok());
  EXPECT_EQ(calls, (std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 5}, {4, 5}, {5, 5}}));
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
    options.batch_size = 2;
    options.threads = threads;
    Result<RangeTable> table = calibrate(graph, data, options);
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(table->samples, 3);
    EXPECT_EQ(table->ranges["difference"].r_min, -4);
    EXPECT_EQ(table->ranges["difference"].r_max, 3);
    EXPECT_EQ(table->ranges["b"].r_max, 9);
  }
  data[1] = samples({{1, 1, 1, 1}});
  EXPECT_EQ(calibrate(graph, data, {}).status().message(),
            "there are 3 samples of one input and 1 of another: a list; a list");
  EXPECT_EQ(calibrate(graph, data[0], {}).status().message(),
            "the graph has 2 inputs, and there are samples for 1");
}

}  // namespace
}  // namespace zeropoint::toolchain
