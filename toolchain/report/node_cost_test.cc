#include "report/node_cost.h"

#include <gtest/gtest.h>

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;

/// The cost of a node over inputs and with an output of these shapes.
Result<NodeCost> cost(Op op, const std::vector<Shape>& inputs, const Shape& output,
                      const Attributes& attributes = {}) {
  Graph graph;
  std::vector<ValueId> ids;
  for (const Shape& shape : inputs) {
    ids.push_back(graph.add_input("in" + std::to_string(ids.size()), ElementType::kFloat32, dims_of(shape)));
  }
  ValueId result = graph.add_node(op, "node", ids, "out", attributes);
  graph.value(result).dims = dims_of(output);
  return cost_of(graph, graph.nodes[0]);
}

std::int64_t macs(Op op, const std::vector<Shape>& inputs, const Shape& output,
                  const Attributes& attributes = {}) {
  Result<NodeCost> found = cost(op, inputs, output, attributes);
  EXPECT_TRUE(found.ok());
  EXPECT_EQ(found->flops, 2 * found->multiply_adds);
  return found->multiply_adds;
}

std::int64_t flops(Op op, const std::vector<Shape>& inputs, const Shape& output,
                   const Attributes& attributes = {}) {
  Result<NodeCost> found = cost(op, inputs, output, attributes);
  EXPECT_TRUE(found.ok());
  EXPECT_EQ(found->multiply_adds, 0);
  return found->flops;
}

TEST(NodeCost, CountsProducts) {
  EXPECT_EQ(macs(Op::kConv, {{2, 4, 9, 9}, {8, 2, 3, 3}}, {2, 8, 7, 7}), 2 * 8 * 49 * 18);
  EXPECT_EQ(macs(Op::kQLinearConv, {{1, 4, 9}, {}, {}, {8, 4, 3}, {}, {}, {}, {}}, {1, 8, 7}), 8 * 7 * 12);
  // Each of the 3 x 25 inputs meets 6 channels of 2 x 2.
  EXPECT_EQ(macs(Op::kConvTranspose, {{1, 3, 5, 5}, {3, 6, 2, 2}}, {1, 6, 10, 10}), 3 * 25 * 6 * 4);
  EXPECT_EQ(macs(Op::kGemm, {{4, 5}, {5, 3}}, {4, 3}), 4 * 5 * 3);
  EXPECT_EQ(macs(Op::kGemm, {{5, 4}, {5, 3}}, {4, 3}, {{"transA", std::int64_t{1}}}), 4 * 5 * 3);
  EXPECT_EQ(macs(Op::kMatMul, {{7, 2, 4, 5}, {5, 3}}, {7, 2, 4, 3}), 7 * 2 * 4 * 5 * 3);
  EXPECT_EQ(
      macs(Op::kEinsum, {{2, 3, 4}, {2, 4, 5}}, {2, 3, 5}, {{"equation", std::string("bij, bjk->bik")}}),
      2 * 3 * 4 * 5);
  EXPECT_EQ(macs(Op::kEinsum, {{3, 4}}, {4, 3}, {{"equation", std::string("ij->ji")}}), 0);
  // 10 steps of 2 samples, 5 inputs, 3 states, 4 gates, 2 directions.
  EXPECT_EQ(macs(Op::kLSTM, {{10, 2, 5}, {2, 12, 5}, {2, 12, 3}}, {10, 2, 2, 3}), 10 * 2 * 2 * 12 * 8);
}

TEST(NodeCost, CountsWhatIsNoProduct) {
  EXPECT_EQ(flops(Op::kAdd, {{2, 3}, {3}}, {2, 3}), 6);
  EXPECT_EQ(flops(Op::kSigmoid, {{2, 3}}, {2, 3}), 6);
  EXPECT_EQ(flops(Op::kMaxPool, {{1, 1, 8, 8}}, {1, 1, 4, 4}, {{"kernel_shape", Ints{3, 3}}}), 16 * 8);
  EXPECT_EQ(flops(Op::kAveragePool, {{1, 1, 8, 8}}, {1, 1, 4, 4}, {{"kernel_shape", Ints{3, 3}}}), 16 * 9);
  EXPECT_EQ(flops(Op::kGlobalAveragePool, {{1, 2, 8, 8}}, {1, 2, 1, 1}), 128);
  EXPECT_EQ(flops(Op::kSoftmax, {{2, 10}}, {2, 10}), 80);
  EXPECT_EQ(flops(Op::kLayerNormalization, {{2, 10}, {10}}, {2, 10}), 140);
  EXPECT_EQ(flops(Op::kReshape, {{2, 10}, {1}}, {20}), 0);
  EXPECT_EQ(flops(Op::kConcat, {{2, 10}, {2, 10}}, {4, 10}), 0);
  EXPECT_EQ(flops(Op::kEqual, {{2, 10}, {1}}, {2, 10}), 0);
}

TEST(NodeCost, RefusesWhatItCannotCount) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 31;
  EXPECT_EQ(cost(Op::kMatMul, {{kLarge, kLarge}, {kLarge, 2}}, {kLarge, 2}).status().code(),
            StatusCode::kUnsupported);
  EXPECT_EQ(cost(Op::kLSTM, {{kLarge, kLarge, 1}, {1, 4, 1}, {1, 4, 1}}, {1}).status().message(),
            "LSTM 'node': [1] costs more than can be counted");
}

TEST(NodeCost, CountsNothingWhereShapesAreUnknown) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 4});
  ValueId w = graph.add_input("w", ElementType::kFloat32, {4, 3});
  graph.add_node(Op::kMatMul, "node", {x, w}, "out");
  Result<NodeCost> found = cost_of(graph, graph.nodes[0]);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->multiply_adds, 0);
}

}  // namespace
}  // namespace zeropoint::toolchain
