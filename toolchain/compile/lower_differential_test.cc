// Random quantized networks: the integer program against the graph computed in float64 by its definition.

#include <gtest/gtest.h>

#include <cmath>

#include "compile/random_networks_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/lower.h"

namespace zeropoint::toolchain {
namespace {

using namespace random_networks;

struct Difference {
  std::int64_t compared = 0;
  std::int64_t different = 0;
  std::int64_t float_outputs = 0;
  double farthest_from_tie = 0;  // of the oracle's numbers before rounding, where the integers differ
  double largest = 0;            // in steps
};

/// What a program made of its inputs, by the name of the tensor.
std::map<std::string, Tensor> values_of(const Program& program, const Tensor& input) {
  std::map<std::string, Tensor> values;
  Result<std::vector<Tensor>> outputs = run_reference(
      program, std::span(&input, 1),
      [&](TensorId id, const Tensor& tensor) { values.insert_or_assign(program.tensor(id).name, tensor); });
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return values;
}

/// Holds each QuantizeLinear's integers against the program's. The oracle then goes on from the program's, so
/// that one difference is not counted again in the layers behind it.
void compare(const Quantized& network, RequantizeMode mode, Difference& difference) {
  Result<Lowering> lowered = lower(network.graph, mode);
  ASSERT_TRUE(lowered.ok()) << lowered.status().message() << "\n" << print(network.graph);
  ASSERT_TRUE(lowered->floats.empty()) << lowered->floats[0].node << ": " << lowered->floats[0].reason;
  ASSERT_TRUE(float_tensors_inside(lowered->program).empty());
  std::map<std::string, Tensor> integers = values_of(lowered->program, network.input);
  const Graph& graph = network.graph;
  oracle::Values known{{graph.inputs[0], oracle::reals_of(network.input)}};
  oracle::evaluate(graph, std::move(known), [&](const Node& node, oracle::Values& values) {
    auto found = integers.find(graph.value(node.outputs[0]).name);
    if (found == integers.end()) {
      return;
    }
    oracle::Reals& expected = values.at(node.outputs[0]);
    oracle::Reals actual = oracle::reals_of(found->second);
    ASSERT_EQ(actual.shape, expected.shape);
    if (node.op != Op::kQuantizeLinear) {  // the network's real output
      for (std::size_t i = 0; i < actual.data.size(); ++i) {
        ASSERT_NEAR(actual.data[i], expected.data[i], 1e-5 * std::max(1.0, std::abs(expected.data[i])));
      }
      difference.float_outputs += static_cast<std::int64_t>(actual.data.size());
      return;
    }
    double scale = static_cast<double>(graph.constant(node, 1)->data<float>()[0]);
    const std::vector<double>& before = values.at(node.inputs[0]).data;
    for (std::size_t i = 0; i < actual.data.size(); ++i) {
      double steps = std::abs(actual.data[i] - expected.data[i]);
      if (steps != 0) {
        double unrounded = before[i] / scale;
        double from_tie = std::abs(unrounded - std::floor(unrounded) - 0.5);
        difference.farthest_from_tie = std::max(difference.farthest_from_tie, from_tie);
        ++difference.different;
      }
      difference.largest = std::max(difference.largest, steps);
    }
    difference.compared += static_cast<std::int64_t>(actual.data.size());
    expected = std::move(actual);
  });
}

void compare_many(RequantizeMode mode, std::uint64_t seeds) {
  Difference all;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Result<Quantized> network = random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    compare(*network, mode, all);
    ASSERT_LE(all.largest, 1);
    ASSERT_LT(all.farthest_from_tie, 1e-3);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  std::printf("%llu networks, %lld integers, %lld different, at most %.2g from a tie; %lld real outputs\n",
              static_cast<unsigned long long>(seeds), static_cast<long long>(all.compared),
              static_cast<long long>(all.different), all.farthest_from_tie,
              static_cast<long long>(all.float_outputs));
  EXPECT_GT(all.compared, 100000);
  EXPECT_GT(all.float_outputs, 1000);
  EXPECT_LT(static_cast<double>(all.different), 1e-3 * static_cast<double>(all.compared));
}

TEST(LowerDifferential, FloatProgramsEqualTheGraphButAtTies) { compare_many(RequantizeMode::kFloat, 1500); }

TEST(LowerDifferential, FixedPointProgramsEqualTheGraphButAtTies) {
  compare_many(RequantizeMode::kFixedPoint, 500);
}

}  // namespace
}  // namespace zeropoint::toolchain
