// Which activations 8 bits would damage, from the graph and what calibration saw.

#include "quantize/precision_needs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quantize/whole_plan_for_test.h"

namespace zeropoint::toolchain {
namespace {

TensorStatistics seen(const std::vector<float>& values) {
  TensorStatistics statistics;
  EXPECT_TRUE(statistics.add(Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values), -1).ok());
  return statistics;
}

std::vector<float> normal(std::size_t count, float deviation) {
  std::mt19937 random(7);
  std::normal_distribution<float> distribution(0, deviation);
  std::vector<float> values(count);
  std::generate(values.begin(), values.end(), [&] { return distribution(random); });
  return values;
}

TEST(SignalToNoise, IsThatOfTheRoundedValues) {
  std::vector<float> values = normal(20000, 2);
  QuantizedType type{8, false};
  for (float end : {4.0F, 8.0F, 30.0F}) {
    QuantParams params = *choose_params(-end, end, type);
    double signal = 0;
    double noise = 0;
    for (float value : values) {
      float back = dequantize(quantize(value, params, *type.range()), params);
      signal += static_cast<double>(value) * value;
      noise += static_cast<double>(value - back) * (value - back);
    }
    EXPECT_NEAR(signal_to_noise(seen(values), params, type), 10 * std::log10(signal / noise), 0.3) << end;
  }
}

TEST(SignalToNoise, NothingIsLostOfZeros) {
  EXPECT_TRUE(std::isinf(signal_to_noise(seen({0, 0, 0}), {1, 0}, {8, false})));
}

class Protected : public WholePlan {
 protected:
  /// The bits of a tensor, and why where calibration's statistics have a part in it.
  int bits(const std::string& tensor) {
    Result<QuantPlan> made = make_plan(graph_, ranges_, recipe_, &statistics_);
    EXPECT_TRUE(made.ok()) << made.status().message();
    const Decision* decision = made.ok() ? made->find(tensor) : nullptr;
    return decision == nullptr ? 0 : decision->type.bits;
  }

  Statistics statistics_;
};

TEST_F(Protected, ArgumentsOfSoftmaxWithWideSteps) {
  for (float end : {10.0F, 100.0F}) {
    graph_ = Graph();
    ranges_.ranges["x"] = {0, 1};
    ValueId x = input("x", {2, 2});
    ValueId scores = node(Op::kMul, {x, x}, "scores", {-end, end});
    graph_.outputs = {node(Op::kSoftmax, {scores}, "p", {0, 1})};
    EXPECT_EQ(bits("scores"), end > 16 ? 16 : 8) << end;
    EXPECT_EQ(bits("x"), end > 16 ? 16 : 8) << "what 16 bits are made of has them";
    recipe_.protect = false;
    EXPECT_EQ(bits("scores"), 8);
    recipe_.protect = true;
  }
}

TEST_F(Protected, OperandsOfTheProductThatScoresComeFrom) {
  for (float end : {3.0F, 30.0F}) {
    graph_ = Graph();
    for (const char* name : {"q", "k"}) {
      ranges_.ranges[name] = {-end, end};
      statistics_.tensors[name] = seen(normal(1000, end / 4));
    }
    ValueId q = input("q", {4, 8});
    ValueId k = input("k", {8, 4});
    ValueId product = node(Op::kMatMul, {q, k}, "product", {-5, 5});
    ValueId scaled = node(Op::kMul, {product, floats("factor", {}, {0.354F})}, "scaled", {-2, 2});
    graph_.outputs = {node(Op::kSoftmax, {scaled}, "p", {0, 1})};
    EXPECT_EQ(bits("q"), end > 10 ? 16 : 8) << end;
    EXPECT_EQ(bits("k"), end > 10 ? 16 : 8) << end;
    EXPECT_EQ(bits("scaled"), 8);
    EXPECT_EQ(bits("product"), 8);
  }
}

TEST_F(Protected, TensorsWhoseRangeIsFarBeyondTheirBulk) {
  for (float outlier : {4.0F, 400.0F}) {
    graph_ = Graph();
    ranges_.ranges["x"] = {0, 1};
    ValueId x = input("x", {4, 2});
    ValueId wide = node(Op::kMul, {x, x}, "wide", {-outlier, outlier});
    std::vector<float> values = normal(100000, 1);
    values.push_back(outlier);
    statistics_.tensors["wide"] = seen(values);
    graph_.outputs = {node(Op::kMatMul, {wide, floats("w", {2, 2}, {1, 2, 3, 4})}, "y", {-9, 9})};
    EXPECT_EQ(bits("wide"), outlier > 100 ? 16 : 8);
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
