#include "quantize/improve/weight_scales.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantize/improve/network_for_test.h"

namespace zeropoint::toolchain {
namespace {

using namespace improve;

double error_at(std::span<const float> weights, double scale, QuantizedRange range) {
  double error = 0;
  for (float w : weights) {
    double q = std::clamp(std::nearbyint(w / scale), static_cast<double>(range.q_min),
                          static_cast<double>(range.q_max));
    error += (w - scale * q) * (w - scale * q);
  }
  return error;
}

/// The least error of 200,000 scales up to twice the largest weight.
double least_error(std::span<const float> weights, QuantizedRange range) {
  double largest = 0;
  for (float w : weights) {
    largest = std::max<double>(largest, std::fabs(w));
  }
  double least = std::numeric_limits<double>::infinity();
  constexpr int kScales = 200000;
  for (int i = 1; i <= kScales; ++i) {
    // Evenly in 1 / s up to the finest useful scale, and evenly in s beyond.
    double scale = largest / (0.5 + 8.0 * static_cast<double>(range.q_max) * i / kScales);
    least = std::min(least, error_at(weights, scale, range));
  }
  return least;
}

TEST(LeastSquaresScale, IsTheBestThereIs) {
  Random random(1);
  for (int bits : {2, 3, 4, 8}) {
    QuantizedRange range = *QuantizedType{bits, true}.range();
    for (int trial = 0; trial < 8; ++trial) {
      std::vector<float> weights(1 + random.below(40));
      for (float& w : weights) {
        double v = random.normal();
        w = static_cast<float>(trial % 2 == 0 ? v : v * v * v);  // with and without far tails
      }
      double found = error_at(weights, least_squares_scale(weights, range), range);
      double least = least_error(weights, range);
      EXPECT_LE(found, least * (1 + 1e-4) + 1e-10) << bits << " bits, trial " << trial;
    }
  }
}

TEST(LeastSquaresScale, OfManyWeightsIsTheBestBetweenNeighboursOfTheBestOfAGrid) {
  Random random(2);
  std::vector<float> weights(40000);
  for (float& w : weights) {
    w = static_cast<float>(std::pow(random.normal(), 3));
  }
  for (int bits : {4, 8}) {
    QuantizedRange range = *QuantizedType{bits, true}.range();
    double found = error_at(weights, least_squares_scale(weights, range), range);
    double least = std::numeric_limits<double>::infinity();
    double top = 2.0 * *std::max_element(weights.begin(), weights.end()) / static_cast<double>(range.q_max);
    for (int i = 1; i < 2000; ++i) {
      least = std::min(least, error_at(weights, top * i / 2000, range));
    }
    EXPECT_LE(found, least * 1.0001) << bits;
  }
}

TEST(LeastSquaresScale, OfZerosAndOfOneWeight) {
  std::vector<float> zeros(5);
  EXPECT_EQ(least_squares_scale(zeros, {-8, 7}), std::numeric_limits<float>::min());
  std::vector<float> one{-3};
  EXPECT_LT(error_at(one, least_squares_scale(one, {-8, 7}), {-8, 7}), 1e-12);
}

TEST(FitWeightScales, LowersTheErrorAndMovesTheBiasesWithIt) {
  for (bool per_channel : {true, false}) {
    Graph graph = network();
    QuantPlan plan = plan_of(graph, samples(20), 4, per_channel);
    const QuantPlan before = plan;
    std::vector<LayerNote> notes = expect_ok(fit_weight_scales(graph, plan));
    EXPECT_EQ(notes.size(), 4U);
    for (const char* name : {"first.w", "depthwise.w", "last.w", "fc.w"}) {
      const Tensor& weights = *graph.value(graph.find(name)).constant;
      auto error = [&](const QuantPlan& which) {
        const TensorParams& params = which.find(name)->params;
        Tensor again = expect_ok(dequantize(expect_ok(quantize(weights, params, {4, true})), params));
        return squared_difference({weights.data<float>().begin(), weights.data<float>().end()},
                                  {again.data<float>().begin(), again.data<float>().end()});
      };
      EXPECT_LT(error(plan), error(before)) << name;
    }
    const Decision* bias = plan.find("fc.b");
    for (std::size_t i = 0; i < bias->params.params.size(); ++i) {
      EXPECT_EQ(bias->params.params[i].scale,
                plan.find("g")->params.params[0].scale * plan.find("fc.w")->params.params[i].scale);
    }
    EXPECT_TRUE(apply_plan(graph, plan).ok());
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
