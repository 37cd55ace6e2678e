#include "zeropoint/toolchain/measure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quantize/plan_for_test.h"
#include "report/planted_faults_for_test.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/simplify.h"
#include "zeropoint/toolchain/verdict.h"

namespace zeropoint::toolchain {
namespace {

/// Samples [2, 4, 4] in [-1, 1], with labels of 3 classes.
std::shared_ptr<const Dataset> samples(std::int64_t count = 40) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Tensor values(ElementType::kFloat32, {count, 2, 4, 4});
  for (float& value : values.data<float>()) {
    value = uniform(random);
  }
  Tensor labels(ElementType::kInt64, {count});
  for (std::int64_t i = 0; i < count; ++i) {
    labels.data<std::int64_t>()[static_cast<std::size_t>(i)] = i % 3;
  }
  return *array_dataset(*array_in_memory("x", std::move(values)), *array_in_memory("y", std::move(labels)));
}

RangeTable calibrated(const Graph& graph) {
  Result<RangeTable> ranges = calibrate(graph, samples(), {});
  EXPECT_TRUE(ranges.ok()) << ranges.status().message();
  return *ranges;
}

Graph quantized(const Graph& graph, const Recipe& recipe = {}) {
  Result<QuantPlan> plan = make_plan(graph, calibrated(graph), recipe);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  Result<Graph> result = apply_plan(graph, *plan);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return *result;
}

Measurement measured(const Graph& graph, const Graph& other, int threads = 2) {
  std::shared_ptr<const Dataset> data = samples();
  MeasureOptions options;
  options.threads = threads;
  Result<Measurement> result = measure(graph, other, std::span(&data, 1), options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *result : Measurement{};
}

const LayerMeasurement& layer(const Measurement& measurement, const std::string& tensor) {
  static const LayerMeasurement none;
  for (const LayerMeasurement& candidate : measurement.layers) {
    if (candidate.tensor == tensor) {
      return candidate;
    }
  }
  ADD_FAILURE() << "no layer '" << tensor << "'";
  return none;
}

QuantizedPoint point(const Graph& graph, const Graph& other, const std::string& tensor) {
  for (const QuantizedPoint& candidate : find_points(graph, other).points) {
    if (graph.value(candidate.reference).name == tensor) {
      return candidate;
    }
  }
  ADD_FAILURE() << "no point '" << tensor << "'";
  return {};
}

TEST(Measure, ListsWhatIsRoundedAndWhatIsGiven) {
  Graph graph = plans::network();
  Measurement result = measured(graph, quantized(graph));
  std::vector<std::string> tensors;
  for (const LayerMeasurement& each : result.layers) {
    tensors.push_back(each.tensor);
  }
  EXPECT_EQ(tensors, (std::vector<std::string>{"input", "r", "p", "f", "y"}));
  EXPECT_EQ(result.samples, 40);
  EXPECT_EQ(result.unmatched, std::vector<std::string>{});
  EXPECT_EQ(layer(result, "input").op, "input");
  EXPECT_EQ(layer(result, "r").node, "conv");
  EXPECT_EQ(layer(result, "r").type, "uint8");
  EXPECT_TRUE(layer(result, "p").only_moves);
  EXPECT_TRUE(layer(result, "f").only_moves);
  EXPECT_EQ(layer(result, "y").type, "float32");
  EXPECT_TRUE(layer(result, "y").is_output);
  EXPECT_EQ(layer(result, "y").elements, 120);
  ASSERT_TRUE(layer(result, "r").weights.has_value());
  EXPECT_EQ(layer(result, "r").weights->tensor, "conv.w");
  EXPECT_TRUE(layer(result, "r").weights->per_channel);
  ASSERT_TRUE(layer(result, "y").bias.has_value());
  EXPECT_GT(layer(result, "y").bias->sqnr_db, 60);
}

TEST(Measure, AloneIsNeverWhatCameBefore) {
  Graph graph = plans::network();
  Measurement result = measured(graph, quantized(graph));
  // Nothing comes before the input.
  EXPECT_EQ(layer(result, "input").isolated.sqnr_db, layer(result, "input").cumulative.sqnr_db);
  EXPECT_GT(layer(result, "r").isolated.sqnr_db, layer(result, "r").cumulative.sqnr_db);
  EXPECT_GT(layer(result, "y").isolated.sqnr_db, layer(result, "y").cumulative.sqnr_db);
  // A spoiled input is not the fault of those who read it.
  Graph spoiled = quantized(graph);
  faults::spoil_scale(spoiled, point(graph, spoiled, "input"), 16);
  Measurement bad = measured(graph, spoiled);
  EXPECT_LT(layer(bad, "input").isolated.sqnr_db, layer(result, "input").isolated.sqnr_db - 20);
  EXPECT_EQ(layer(bad, "r").isolated.sqnr_db, layer(result, "r").isolated.sqnr_db);
  EXPECT_LT(layer(bad, "r").cumulative.sqnr_db, layer(result, "r").cumulative.sqnr_db - 10);
}

TEST(Measure, PartsOfAnErrorAddUpToIt) {
  Graph graph = plans::network();
  Measurement result = measured(graph, quantized(graph));
  const LayerMeasurement& input = layer(result, "input");
  // The input has no constants, and its error is rounding alone: a step's variance is scale^2 / 12.
  EXPECT_EQ(input.constants, 0);
  EXPECT_EQ(input.saturated, 0);
  EXPECT_NEAR(std::pow(10, -input.isolated.sqnr_db / 10), input.rounding + input.clipping, 1e-12);
  double variance = std::pow(static_cast<double>(input.params.scale), 2) / 12;
  EXPECT_NEAR(input.rounding / (variance / (1.0 / 3)), 1, 0.1);  // uniform in [-1, 1]: mean square 1/3
  EXPECT_NEAR(input.effective_bits, 8, 0.1);
}

TEST(Measure, ThreadsChangeNoFigure) {
  Graph graph = plans::network();
  Graph other = quantized(graph);
  Measurement one = measured(graph, other, 1);
  Measurement three = measured(graph, other, 3);
  for (std::size_t i = 0; i < one.layers.size(); ++i) {
    EXPECT_EQ(one.layers[i].isolated.sqnr_db, three.layers[i].isolated.sqnr_db);
    EXPECT_EQ(one.layers[i].cumulative.sqnr_db, three.layers[i].cumulative.sqnr_db);
    EXPECT_EQ(one.layers[i].constant_shift, three.layers[i].constant_shift);
  }
  EXPECT_EQ(one.outputs[0].deviation.sqnr_db, three.outputs[0].deviation.sqnr_db);
}

TEST(Measure, CountsAgreementAndLabels) {
  Graph graph = plans::network();
  Measurement same = measured(graph, quantized(graph));
  ASSERT_EQ(same.outputs.size(), 1U);
  EXPECT_EQ(same.outputs[0].rows, 40);
  EXPECT_EQ(same.outputs[0].agreeing, 40);
  ASSERT_TRUE(same.float_scores.has_value());
  EXPECT_EQ(same.float_scores->count, 40);
  EXPECT_EQ(same.quantized_scores->correct, same.float_scores->correct);
  EXPECT_GT(same.outputs[0].deviation.sqnr_db, 30);
  Graph spoiled = quantized(graph);
  ASSERT_TRUE(faults::spoil_constant(spoiled, point(graph, spoiled, "y"), 1, -1));
  EXPECT_LT(measured(graph, spoiled).outputs[0].agreeing, 20);
}

TEST(Measure, ComparesWhatWasSimplified) {
  Graph graph;
  ValueId x = graph.add_input("input", ElementType::kFloat32, {Dim("N"), 2, 4, 4});
  ValueId w = graph.add_constant("w", Tensor::of<float>({2, 2, 1, 1}, {1, 0.5F, -0.25F, 2}));
  ValueId c = graph.add_node(Op::kConv, "conv", {x, w}, "c");
  ValueId scale = graph.add_constant("s", Tensor::of<float>({2}, {2, 3}));
  ValueId zero = graph.add_constant("b", Tensor::of<float>({2}, {0.5F, -1}));
  ValueId one = graph.add_constant("v", Tensor::of<float>({2}, {1, 1}));
  ValueId n = graph.add_node(Op::kBatchNormalization, "bn", {c, scale, zero, zero, one}, "n");
  graph.outputs = {graph.add_node(Op::kRelu, "relu", {n}, "y")};
  ASSERT_TRUE(infer_shapes(graph).ok());
  Graph simplified = graph;
  ASSERT_TRUE(simplify(simplified).ok());
  Recipe recipe;
  recipe.output = Recipe::Output::kQuantized;
  std::shared_ptr<const Dataset> data = samples();
  MeasureOptions options;
  options.use_labels = false;
  Result<Measurement> result = measure(graph, quantized(simplified, recipe), std::span(&data, 1), options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_GT(layer(*result, "y").isolated.sqnr_db, 35);
  ASSERT_TRUE(layer(*result, "y").weights.has_value());
  EXPECT_GT(layer(*result, "y").weights->sqnr_db, 35);
  EXPECT_FALSE(result->float_scores.has_value());
}

TEST(Measure, KnowsTheNamesOfOnnxRuntime) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 2, 4, 4});
  ValueId y = graph.add_node(Op::kSigmoid, "s", {x}, "y");
  graph.outputs = {y};
  ASSERT_TRUE(infer_shapes(graph).ok());
  Graph other;
  ValueId scale = other.add_constant("x_scale", Tensor::of<float>({}, {0.01F}));
  ValueId zero = other.add_constant("x_zero_point", Tensor::of<std::uint8_t>({}, {100}));
  ValueId in = other.add_input("x", ElementType::kFloat32, {Dim("N"), 2, 4, 4});
  auto pair = [&](ValueId real, const std::string& base, const std::string& result) {
    ValueId q = other.add_node(Op::kQuantizeLinear, base + "_QuantizeLinear", {real, scale, zero},
                               base + "_QuantizeLinear_Output");
    return other.add_node(Op::kDequantizeLinear, base + "_DequantizeLinear", {q, scale, zero}, result);
  };
  ValueId d = pair(in, "x", "x_DequantizeLinear_Output");
  ValueId s = other.add_node(Op::kSigmoid, "s", {d}, "y_QuantizeLinear_Input");
  other.outputs = {pair(s, "y", "y")};
  ASSERT_TRUE(infer_shapes(other).ok());
  QuantizedPoints points = find_points(graph, other);
  ASSERT_EQ(points.points.size(), 2U);
  EXPECT_EQ(points.points[0].reference, x);
  EXPECT_EQ(points.points[1].reference, y);
  EXPECT_EQ(points.unmatched, std::vector<std::string>{});
}

TEST(Measure, RefusesNetworksThatAreNotTheSame) {
  Graph graph = plans::network();
  std::shared_ptr<const Dataset> data = samples();
  auto message = [&](const Graph& a, const Graph& b) {
    return measure(a, b, std::span(&data, 1), {}).status().message();
  };
  EXPECT_EQ(message(graph, graph), "the second network quantizes no tensor");
  Graph other;
  ValueId x = other.add_input("x", ElementType::kFloat32, {Dim("N"), 2, 4, 4});
  other.outputs = {other.add_node(Op::kSigmoid, "sigmoid", {x}, "other y")};
  EXPECT_NE(message(other, quantized(graph)).find("is it the network that was quantized?"),
            std::string::npos);
  Graph two = quantized(graph);
  two.outputs.push_back(two.outputs[0]);
  EXPECT_NE(message(graph, two).find("do not have the same inputs and outputs"), std::string::npos);
  EXPECT_NE(measure(graph, quantized(graph), {}, {}).status().message().find("has 1 inputs"),
            std::string::npos);
}

TEST(Measure, PairsTensorsOfOtherNamesByWhatTheyAre) {
  Graph graph = plans::network();
  Graph renamed = graph;
  for (Value& value : renamed.values) {
    value.name = "other " + value.name;
  }
  Measurement result = measured(renamed, quantized(graph));
  EXPECT_EQ(result.unmatched, std::vector<std::string>{});
  ASSERT_EQ(result.layers.size(), 5U);
  EXPECT_EQ(result.layers[1].tensor, "other r");
  EXPECT_EQ(result.layers[1].isolated.sqnr_db,
            layer(measured(graph, quantized(graph)), "r").isolated.sqnr_db);
}

TEST(Verdict, MoreBitsAreWishedForTheMakerOfATensorAndItsReaders) {
  Measurement measurement;
  LayerMeasurement layer;
  layer.tensor = "t";
  layer.node = "maker";
  layer.readers = {"first", "second"};
  layer.is_quantized = true;
  layer.bits = 8;
  layer.effective_bits = 8;
  layer.params = {0.1F, 0};
  layer.lowest = 0;
  layer.highest = 25.5;
  layer.largest_seen = 25.5;
  layer.elements = 100;
  layer.rounding = 0.01;
  layer.isolated.sqnr_db = 20;
  measurement.layers.push_back(layer);
  std::vector<Finding> findings = verdict(measurement);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].cause, Cause::kRounding);
  for (const char* node : {"maker", "first", "second"}) {
    EXPECT_NE(findings[0].command.find(
                  fmt::format(R"({{"nodes": "{}", "activations": {{"type": "int16"}}}})", node)),
              std::string::npos)
        << findings[0].command;
  }
}

TEST(Verdict, ARangeBesideItsValuesIsAFaultUnlessItIsSymmetric) {
  LayerMeasurement layer;
  layer.tensor = "t";
  layer.is_quantized = true;
  layer.bits = 8;
  layer.params = {0.1F, 100};
  layer.lowest = -10;
  layer.highest = 15.5;
  layer.largest_seen = 25.5;
  layer.elements = 100;
  layer.clipping = 0.001;
  layer.rounding = 0.001;
  layer.isolated.sqnr_db = 27;
  Measurement measurement;
  measurement.layers = {layer};
  EXPECT_EQ(verdict(measurement)[0].cause, Cause::kShiftedRange);
  EXPECT_TRUE(verdict(measurement)[0].is_fault);
  measurement.layers[0].largest_seen = 16;  // a little beyond
  EXPECT_FALSE(verdict(measurement)[0].is_fault);
  measurement.layers[0] = layer;
  measurement.layers[0].lowest = -15.5;
  EXPECT_FALSE(verdict(measurement)[0].is_fault);
}

struct Planted {
  const char* name;
  const char* tensor;
  Cause cause;
  void (*plant)(Graph& graph, const QuantizedPoint& point);
};

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, IsNamedFirstWithItsCause) {
  Graph graph = plans::network();
  Graph spoiled = quantized(graph);
  GetParam().plant(spoiled, point(graph, spoiled, GetParam().tensor));
  std::vector<Finding> findings = verdict(measured(graph, spoiled), {"net.onnx", "out.onnx", "--data x.npy"});
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].tensor, GetParam().tensor);
  EXPECT_EQ(name_of(findings[0].cause), name_of(GetParam().cause)) << findings[0].why;
  EXPECT_EQ(findings[0].command.find("zeropoint quantize net.onnx -o out.onnx --data x.npy"), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Verdict, PlantedFault,
    testing::Values(Planted{"wide_input", "input", Cause::kWideRange,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_scale(g, p, 16); }},
                    Planted{"narrow_input", "input", Cause::kClipping,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_scale(g, p, 0.125F); }},
                    Planted{"wide_layer", "r", Cause::kWideRange,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_scale(g, p, 16); }},
                    Planted{"narrow_layer", "r", Cause::kClipping,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_scale(g, p, 0.125F); }},
                    Planted{"zero_point", "input", Cause::kShiftedRange,
                            [](Graph& g, const QuantizedPoint& p) { faults::shift_zero_point(g, p, 64); }},
                    Planted{"weights", "r", Cause::kWeightScale,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_constant(g, p, 1, 4); }},
                    Planted{"one_channel", "y", Cause::kWeightScale,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_constant(g, p, 1, 4, 1); }},
                    Planted{"bias", "y", Cause::kBias,
                            [](Graph& g, const QuantizedPoint& p) { faults::spoil_constant(g, p, 2, 8); }}),
    [](const testing::TestParamInfo<Planted>& planted) { return planted.param.name; });

}  // namespace
}  // namespace zeropoint::toolchain
