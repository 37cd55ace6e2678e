// Plans whose tensors differ in bits, and layers whose activations are dynamic or not quantized at all: what
// is decided, and that the integer program computes what the QDQ graph says.

#include <gtest/gtest.h>

#include <cmath>

#include "quantize/whole_plan_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/lower.h"

namespace zeropoint::toolchain {
namespace {

class MixedPlan : public WholePlan {
 protected:
  ValueId matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      values.push_back(static_cast<float>((i * 7 + 3) % 11) / 10 - 0.5F);
    }
    return floats(name, {rows, columns}, values);
  }

  /// x [4, 8] -> MatMul a -> Add with x -> sum -> MatMul y.
  void residual() {
    ranges_.ranges["x"] = {-2, 2};
    ValueId x = input("x", {4, 8});
    ValueId a = node(Op::kMatMul, {x, matrix("w1", 8, 8)}, "a", {-3, 3});
    ValueId sum = node(Op::kAdd, {a, x}, "sum", {-5, 5});
    graph_.outputs = {node(Op::kMatMul, {sum, matrix("w2", 8, 4)}, "y", {-4, 4})};
  }

  [[nodiscard]] Lowering lowered(const Graph& graph) {
    Result<Lowering> lowering = lower(graph, RequantizeMode::kFloat);
    EXPECT_TRUE(lowering.ok()) << lowering.status().message();
    return lowering.ok() ? *std::move(lowering) : Lowering();
  }

  /// The quantized graph; what its program gives differs from what the float executor does by at most `most`.
  Graph check(const QuantPlan& plan, float most) {
    Result<Graph> applied = apply_plan(graph_, plan);
    EXPECT_TRUE(applied.ok()) << applied.status().message();
    if (!applied.ok()) {
      return graph_;
    }
    Tensor x(ElementType::kFloat32, {4, 8});
    for (std::int64_t i = 0; i < x.size(); ++i) {
      x.data<float>()[static_cast<std::size_t>(i)] = std::sin(static_cast<float>(i * i)) * 2;
    }
    Result<std::vector<Tensor>> integers = run_reference(lowered(*applied).program, {&x, 1});
    Result<FloatExecutor> executor = FloatExecutor::create(*applied);
    EXPECT_TRUE(integers.ok() && executor.ok()) << integers.status().message() << executor.status().message();
    Result<std::vector<Tensor>> floats = executor->run({&x, 1});
    EXPECT_TRUE(floats.ok());
    for (std::int64_t i = 0; i < (*floats)[0].size(); ++i) {
      auto at = static_cast<std::size_t>(i);
      EXPECT_NEAR((*integers)[0].data<float>()[at], (*floats)[0].data<float>()[at], most) << i;
    }
    return *std::move(applied);
  }

  static std::vector<std::string> readers_of(const QuantPlan& plan, const std::string& tensor) {
    for (const Decision& decision : plan.decisions) {
      if (decision.tensor == tensor && !decision.readers.empty()) {
        return decision.readers;
      }
    }
    return {};
  }
};

TEST_F(MixedPlan, AProductReadsACopyOfWhatOthersReadIn16Bits) {
  residual();
  recipe_.overrides.push_back({.nodes = "sum", .activations = QuantizedType{16, true}});
  QuantPlan made = plan();
  EXPECT_EQ(made.find("x")->type, (QuantizedType{16, true}));
  EXPECT_EQ(made.find("a")->type, (QuantizedType{16, true}));
  EXPECT_EQ(readers_of(made, "x"), std::vector<std::string>{"a"});
  EXPECT_EQ(made.find("sum")->type, (QuantizedType{8, false})) << "only a product of 8 bits reads it";
  EXPECT_EQ(readers_of(made, "sum"), std::vector<std::string>{});
  Graph graph = check(made, 1e-5F + 8.0F / 255);
  EXPECT_EQ(lowered(graph).floats.size(), 0U);
}

TEST_F(MixedPlan, SixteenBitsEverywhere) {
  residual();
  recipe_.activations = {16, true};
  recipe_.weights.bits = 16;
  QuantPlan made = plan();
  EXPECT_EQ(made.find("w1")->type.bits, 16);
  Graph graph = check(made, 8.0F / 65535);
  EXPECT_EQ(lowered(graph).floats.size(), 0U);
}

TEST_F(MixedPlan, ALayerAndItsActivationAreOneStep) {
  ranges_.ranges["x"] = {-2, 2};
  ValueId x = input("x", {4, 8});
  ValueId a = node(Op::kMatMul, {x, matrix("w1", 8, 8)}, "a", {-3, 3});
  ValueId silu = node(Op::kSwish, {a}, "silu", {-0.3F, 3});
  graph_.outputs = {node(Op::kMatMul, {silu, matrix("w2", 8, 4)}, "y", {-4, 4})};
  QuantPlan made = plan();
  EXPECT_EQ(made.find("a")->type, (QuantizedType{16, false}));
  EXPECT_EQ(made.find("silu")->type, (QuantizedType{8, false}));
  EXPECT_NE(made.find("a")->reason.find("one step"), std::string::npos);
  EXPECT_EQ(lowered(check(made, 8.0F / 255 + 1e-5F)).floats.size(), 0U);
}

TEST_F(MixedPlan, WeightsAloneInGroups) {
  residual();
  recipe_ = *base_recipe("weight_only_w4");
  recipe_.group_size = 4;
  QuantPlan made = plan();
  ASSERT_EQ(made.decisions.size(), 2U);
  EXPECT_EQ(made.find("w1")->params.granularity, Granularity::per_group(0, 4));
  EXPECT_EQ(made.find("w1")->params.params.size(), 16U);
  Graph graph = check(made, 1e-5F);
  EXPECT_EQ(graph.value(graph.find("w1_quantized")).type, ElementType::kUint4);
  Lowering lowering = lowered(graph);
  EXPECT_EQ(lowering.integer_nodes, 0U);
  EXPECT_EQ(lowering.floats.size(), 3U);
}

TEST_F(MixedPlan, GemmAndTablesInGroups) {
  ranges_.ranges["i"] = {0, 7};
  ValueId i = graph_.add_input("i", ElementType::kInt64, {3});
  ValueId row = node(Op::kGather, {matrix("table", 8, 8), i}, "row", {-1, 1});
  ValueId bias = floats("b", {4}, {1, 2, 3, 4});
  graph_.outputs = {
      node(Op::kGemm, {row, matrix("w", 4, 8), bias}, "y", {-4, 4}, {{"transB", std::int64_t{1}}})};
  recipe_ = *base_recipe("weight_only_w4");
  recipe_.group_size = 4;
  QuantPlan made = plan();
  ASSERT_EQ(made.decisions.size(), 2U);
  EXPECT_EQ(made.find("table")->params.granularity, Granularity::per_channel(0));
  EXPECT_EQ(made.find("table")->type.bits, 8);
  EXPECT_EQ(made.find("w")->params.granularity, Granularity::per_group(1, 4));
  recipe_.overrides.push_back({.op = Op::kGather, .weight_bits = 4});
  EXPECT_EQ(plan().find("table")->params.granularity, Granularity::per_group(1, 4));
  EXPECT_EQ(plan().find("table")->type.bits, 4);
}

TEST_F(MixedPlan, TablesOfWideRowsStaySmall) {
  ranges_.ranges["i"] = {0, 7};
  ValueId i = graph_.add_input("i", ElementType::kInt64, {3});
  ValueId row = node(Op::kGather, {matrix("table", 8, 8), i}, "row", {-1, 1});
  graph_.outputs = {node(Op::kAdd, {row, row}, "y", {-2, 2})};
  recipe_.activations = {16, true};
  QuantPlan made = plan();
  EXPECT_EQ(made.find("table")->type.bits, 8);
  EXPECT_EQ(made.find("table")->params.granularity, Granularity::per_channel(0));
  EXPECT_EQ(made.find("row")->type.bits, 16);
  EXPECT_EQ(made.find("row")->shares_with, "");
  Result<Graph> applied = apply_plan(graph_, made);
  ASSERT_TRUE(applied.ok()) << applied.status().message();
  EXPECT_EQ(lowered(*applied).floats.size(), 0U);
}

TEST_F(MixedPlan, DynamicInputsOfMatrixProducts) {
  residual();
  recipe_ = *base_recipe("dynamic_w8a8");
  QuantPlan made = plan();
  EXPECT_EQ(readers_of(made, "x"), std::vector<std::string>{"a"});
  EXPECT_EQ(readers_of(made, "sum"), std::vector<std::string>{"y"});
  EXPECT_EQ(made.find("x"), nullptr);
  Graph graph = check(made, 1e-5F);
  std::size_t products = 0;
  for (const Node& made_node : graph.nodes) {
    products += made_node.op == Op::kMatMulInteger ? 1 : 0;
  }
  EXPECT_EQ(products, 2U);
  Result<QuantPlan> read = plan_from_json(to_json(made));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(to_json(*read), to_json(made));
}

TEST_F(MixedPlan, DynamicGemmWithBiasIsCloseToFloat) {
  ranges_.ranges["x"] = {-2, 2};
  ValueId x = input("x", {4, 8});
  graph_.outputs = {node(Op::kGemm, {x, matrix("w", 4, 8), floats("b", {4}, {1, 2, 3, 4})}, "y", {-4, 4},
                         {{"transB", std::int64_t{1}}})};
  recipe_ = *base_recipe("dynamic_w8a8");
  Graph graph = check(plan(), 1e-5F);
  Tensor ones = Tensor::of<float>({4, 8}, std::vector<float>(32, 1.0F));
  auto run = [&](const Graph& of) -> Tensor { return *FloatExecutor::create(of)->run(ones); };
  Tensor quantized = run(graph);
  Tensor exact = run(graph_);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_NEAR(quantized.data<float>()[i], exact.data<float>()[i], 0.02F);
  }
}

TEST_F(MixedPlan, NodesThatTheRecipeKeepsInFloat) {
  residual();
  recipe_.overrides.push_back({.nodes = "a", .in_float = true});
  QuantPlan made = plan();
  EXPECT_EQ(made.find("w1"), nullptr);
  ASSERT_EQ(made.floats.size(), 1U);
  EXPECT_EQ(made.floats[0].node, "a");
  EXPECT_EQ(made.floats[0].reason, "the recipe keeps it in float");
  Lowering lowering = lowered(check(made, 8.0F / 255 + 1e-5F));
  ASSERT_EQ(lowering.floats.size(), 1U);
}

TEST_F(MixedPlan, ReadersThatPeopleWroteAreChecked) {
  residual();
  recipe_.overrides.push_back({.nodes = "sum", .activations = QuantizedType{16, true}});
  auto after = [&](auto change) {
    QuantPlan made = plan();
    for (Decision& decision : made.decisions) {
      if (!decision.readers.empty()) {
        change(decision);
      }
    }
    return apply_plan(graph_, made).status().message();
  };
  EXPECT_EQ(after([](Decision& d) { d.readers = {"y"}; }), "plan for tensor 'x': no node 'y' reads it");
  EXPECT_EQ(after([](Decision& d) { d.readers = {}; }), "plan for tensor 'x': it is decided twice");
  EXPECT_EQ(after([](Decision& d) {
              d.readers = {"sum"};
              d.dynamic = true;
            }),
            "plan for tensor 'x': Add 'sum' cannot read it so: it must be a product by a matrix of at most 8 "
            "bits, zero point 0 and one scale per output channel or in all");
}

}  // namespace
}  // namespace zeropoint::toolchain
