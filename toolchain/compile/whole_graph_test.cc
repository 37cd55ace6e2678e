// Random quantized graphs of all kinds of nodes: the program against the same graph simulated in float32,
// QuantizeLinear by QuantizeLinear, each starting from the program's own integers.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "compile/random_graphs_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

using Tensors = std::map<std::string, Tensor>;

/// The integers that a program makes of its inputs, by name.
Tensors integers_of(const Program& program, const Tensor& input) {
  Tensors tensors;
  Result<std::vector<Tensor>> outputs = run_reference(
      program, std::span(&input, 1),
      [&](TensorId id, const Tensor& tensor) { tensors.insert_or_assign(program.tensor(id).name, tensor); });
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return tensors;
}

/// Differences between what programs and simulations round to, by the operator that was rounded.
struct Differences {
  std::int64_t compared = 0;
  std::int64_t different = 0;
  std::int64_t largest = 0;

  void add(const Tensor& a, const Tensor& b) {
    visit_integer(a.type(), [&](auto element) {
      auto x = a.data<decltype(element)>();
      auto y = b.data<decltype(element)>();
      for (std::size_t i = 0; i < x.size(); ++i) {
        std::int64_t distance = std::abs(static_cast<std::int64_t>(x[i]) - static_cast<std::int64_t>(y[i]));
        ++compared;
        different += distance != 0 ? 1 : 0;
        largest = std::max(largest, distance);
      }
    });
  }
};

/// Runs the graph node by node; a QuantizeLinear's result is compared with the program's and replaced by it.
void compare(const Graph& graph, const Tensor& input, const Tensors& integers,
             std::map<std::string, Differences>& differences) {
  std::map<ValueId, Tensor> values{{graph.inputs[0], input}};
  std::map<ValueId, std::string> made_by;
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> inputs;
    for (ValueId id : node.inputs) {
      const Tensor* constant = id == kNoValue ? nullptr : graph.value(id).constant.get();
      inputs.push_back(id == kNoValue || constant != nullptr ? constant : &values.at(id));
    }
    Result<std::vector<Tensor>> outputs =
        evaluate(OperatorCall(node.op, node.attributes, inputs, node.outputs.size()));
    ASSERT_TRUE(outputs.ok()) << describe(node) << ": " << outputs.status().message();
    made_by[node.outputs[0]] = name_of(node.op);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      values[node.outputs[i]] = std::move((*outputs)[i]);
    }
    auto found = integers.find(graph.value(node.outputs[0]).name);
    if (node.op == Op::kQuantizeLinear && found != integers.end()) {
      Tensor& simulated = values[node.outputs[0]];
      ASSERT_EQ(simulated.shape(), found->second.shape());
      differences[node.inputs[0] == graph.inputs[0] ? "input" : made_by[node.inputs[0]]].add(found->second,
                                                                                             simulated);
      simulated = found->second;
    }
  }
}

TEST(WholeGraph, ProgramsEqualTheSimulationOfEachNode) {
  std::map<std::string, Differences> differences;
  std::int64_t in_integers = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Result<random_graphs::QuantizedGraph> network = random_graphs::random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    Result<Lowering> lowering = lower(network->graph, RequantizeMode::kFloat);
    ASSERT_TRUE(lowering.ok()) << lowering.status().message() << "\n" << print(network->graph);
    ASSERT_TRUE(lowering->floats.empty())
        << lowering->floats[0].node << ": " << lowering->floats[0].reason << "\n"
        << print(network->graph);
    ASSERT_TRUE(float_tensors_inside(lowering->program).empty());
    in_integers += static_cast<std::int64_t>(lowering->integer_nodes);
    compare(network->graph, network->input, integers_of(lowering->program, network->input), differences);
    ASSERT_FALSE(testing::Test::HasFailure()) << print(network->graph);
  }
  std::printf("%lld nodes in integers\n", static_cast<long long>(in_integers));
  for (const auto& [op, d] : differences) {
    std::printf("%-24s %9lld integers, %6lld different, largest %lld\n", op.c_str(),
                static_cast<long long>(d.compared), static_cast<long long>(d.different),
                static_cast<long long>(d.largest));
    EXPECT_LE(d.largest, 1) << op;
    // Means of two lie on ties again and again, where the simulation's float32 errors decide.
    double share = op == "AveragePool" ? 1e-2 : 1e-3;
    EXPECT_LE(static_cast<double>(d.different), share * static_cast<double>(d.compared)) << op;
  }
  // By definition the same bits.
  for (const char* exact : {"Add", "Sub", "Div", "Max", "Min", "Sigmoid", "Tanh", "HardSwish", "Gelu",
                            "Concat", "Transpose", "Reshape", "Slice", "Pad", "MaxPool", "Resize"}) {
    EXPECT_GT(differences[exact].compared, 0) << exact;
    EXPECT_EQ(differences[exact].different, 0) << exact;
  }
}

// ONNX Runtime's own quantizer wrote them; what differs from its results is in docs/integer_operations.md.
TEST(WholeGraph, ModelsOfOnnxRuntimeRunInIntegersFromEndToEnd) {
  const char* data = std::getenv("ZEROPOINT_DATA");
  std::filesystem::path folder =
      std::filesystem::path(data == nullptr ? "" : data) / "models_quantized_by_ort";
  if (data == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no real models: set ZEROPOINT_DATA";
  }
  int models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    Result<Graph> graph = read_onnx(entry.path().string());
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    for (RequantizeMode mode : {RequantizeMode::kFloat, RequantizeMode::kFixedPoint}) {
      Result<Lowering> lowering = lower(*graph, mode);
      ASSERT_TRUE(lowering.ok()) << lowering.status().message();
      EXPECT_TRUE(lowering->floats.empty()) << lowering->floats[0].node << ": " << lowering->floats[0].reason;
      EXPECT_TRUE(float_tensors_inside(lowering->program).empty());
    }
    ++models;
  }
  EXPECT_GT(models, 0);
}

}  // namespace
}  // namespace zeropoint::toolchain
