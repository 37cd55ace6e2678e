// Plans of graphs beyond chains of layers: tensors that are joined, sums, masks, and what stays in float.

#include <gtest/gtest.h>

#include <limits>

#include "quantize/whole_plan_for_test.h"

namespace zeropoint::toolchain {
namespace {

TEST_F(WholePlan, TensorsThatAreJoinedShareTheWidestRange) {
  ranges_.ranges["x"] = {0, 1};
  ValueId x = input("x", {Dim("N"), 2});
  ValueId a = node(Op::kSigmoid, {x}, "a", {0, 1});
  ValueId b = node(Op::kTanh, {x}, "b", {-1, 1});
  graph_.outputs = {node(Op::kConcat, {a, b}, "joined", {-1, 1}, {{"axis", std::int64_t{1}}})};
  QuantPlan made = plan();
  EXPECT_EQ(scale(made, "a"), 2.0F / 255);
  EXPECT_EQ(made.find("a")->params, made.find("b")->params);
  EXPECT_EQ(made.find("joined")->params, made.find("b")->params);
  EXPECT_EQ(made.find("joined")->shares_with, "a");
}

TEST_F(WholePlan, AResizeThatCopiesNeighboursKeepsIntegers) {
  for (const char* mode : {"nearest", "linear"}) {
    graph_ = Graph();
    ranges_.ranges["x"] = {0, 1};
    ValueId x = input("x", {1, 2, 4, 4});
    ValueId a = node(Op::kTanh, {x}, "a", {-1, 1});
    ValueId scales = floats("scales", {4}, {1, 1, 2, 2});
    graph_.outputs = {
        node(Op::kResize, {a, kNoValue, scales}, "big", {-0.5F, 0.9F}, {{"mode", std::string(mode)}})};
    QuantPlan made = plan();
    EXPECT_EQ(made.find("big")->shares_with, mode == std::string("nearest") ? "a" : "");
    EXPECT_EQ(made.find("big")->params == made.find("a")->params, mode == std::string("nearest"));
  }
}

TEST_F(WholePlan, ASumHasARangeOfItsOwn) {
  ranges_.ranges["x"] = {-2, 2};
  ValueId x = input("x", {Dim("N"), 2});
  ValueId a = node(Op::kSigmoid, {x}, "a", {0, 1});
  graph_.outputs = {node(Op::kAdd, {x, a}, "sum", {-1, 4.1F})};
  QuantPlan made = plan();
  EXPECT_EQ(scale(made, "x"), 4.0F / 255);
  EXPECT_EQ(scale(made, "a"), 1.0F / 255);
  EXPECT_EQ(scale(made, "sum"), 5.1F / 255);
}

TEST_F(WholePlan, ProbabilitiesGetStepsOfAPowerOfTwo) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {2, 2});
  ValueId p = node(Op::kSoftmax, {x}, "p", {0.1F, 0.6F});
  ValueId q = node(Op::kSoftmax, {x}, "q", {0, 1});
  ValueId t = node(Op::kTanh, {x}, "t", {-1, 1});
  graph_.outputs = {p, node(Op::kConcat, {q, t}, "joined", {-1, 1}, {{"axis", std::int64_t{1}}})};
  QuantPlan made = plan();
  EXPECT_EQ(scale(made, "p"), 1.0F / 256);
  EXPECT_EQ(made.find("p")->params.params[0].zero_point, 0);
  EXPECT_NE(made.find("p")->reason.find("probabilities, in steps of 1/256"), std::string::npos);
  EXPECT_EQ(scale(made, "q"), 2.0F / 255);
}

TEST_F(WholePlan, AMaskLeavesTheScoresTheirSteps) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {2, 2});
  ValueId mask = floats("mask", {2, 2}, {0, -1e9F, 0, 0});
  ValueId masked = node(Op::kAdd, {x, mask}, "masked", {-1e9F, 5});
  graph_.outputs = {node(Op::kSoftmax, {masked}, "p", {0, 1})};
  QuantPlan made = plan();
  EXPECT_FLOAT_EQ(scale(made, "masked"), 16.0F / 255);  // 8 below -3, up to 5
  EXPECT_FLOAT_EQ(scale(made, "mask"), 16.0F / 255);    // 8 more than the scores are wide
  EXPECT_NE(made.find("masked")->reason.find("what the mask shuts out clamped"), std::string::npos);
}

TEST_F(WholePlan, AMaskThatSeveralShareServesTheWidest) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {2, 2});
  ValueId wide = node(Op::kMul, {x, x}, "wide", {-92, 0});
  ValueId mask = floats("mask", {2, 2}, {0, -1e9F, 0, 0});
  graph_.outputs = {
      node(Op::kSoftmax, {node(Op::kAdd, {x, mask}, "narrow_masked", {-1e9F, 5})}, "p", {0, 1}),
      node(Op::kSoftmax, {node(Op::kAdd, {mask, wide}, "wide_masked", {-1e9F, 0})}, "q", {0, 1})};
  QuantPlan made = plan();
  EXPECT_FLOAT_EQ(scale(made, "mask"), 100.0F / 255);
  EXPECT_FLOAT_EQ(scale(made, "narrow_masked"), 16.0F / 255);
  EXPECT_FLOAT_EQ(scale(made, "wide_masked"), 100.0F / 255);
}

TEST_F(WholePlan, AMaskThatTakesThePlaceOfScores) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {2, 2});
  Tensor chosen(ElementType::kBool, {2, 2});
  ValueId condition = graph_.add_constant("chosen", chosen);
  ValueId least = floats("least", {}, {-std::numeric_limits<float>::infinity()});
  graph_.outputs = {
      node(Op::kSoftmax, {graph_.add_node(Op::kWhere, "w", {condition, x, least}, "masked")}, "p", {0, 1})};
  QuantPlan made = plan();
  EXPECT_FLOAT_EQ(scale(made, "masked"), 16.0F / 255);
  EXPECT_EQ(made.find("least")->params, made.find("masked")->params);
}

TEST_F(WholePlan, AMaskThatEachRunComputes) {
  ranges_.ranges["x"] = {-3, 5};
  ranges_.ranges["hidden"] = {0, 1};
  ValueId x = input("x", {2, 2});
  ValueId hidden = input("hidden", {1, 2});  // 1 where there is nothing
  ValueId mask = node(Op::kMul, {hidden, floats("least", {}, {-1e4F})}, "mask", {-1e4F, 0});
  ValueId masked = node(Op::kAdd, {x, mask}, "masked", {-1e4F, 5});
  ValueId shaped = node(Op::kFlatten, {masked}, "shaped", {-1e4F, 5});
  graph_.outputs = {node(Op::kSoftmax, {shaped}, "p", {0, 1})};
  QuantPlan made = plan();
  EXPECT_FLOAT_EQ(scale(made, "masked"), 16.0F / 255);
  EXPECT_FLOAT_EQ(scale(made, "mask"), 16.0F / 255);
}

TEST_F(WholePlan, AMaskThatEachRunChooses) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {2, 2});
  ValueId hidden = graph_.add_input("hidden", ElementType::kBool, {2, 2});
  ValueId least = floats("least", {}, {-std::numeric_limits<float>::infinity()});
  ValueId mask = node(Op::kWhere, {hidden, least, floats("zero", {}, {0})}, "mask", {-1e9F, 0});
  graph_.outputs = {node(Op::kSoftmax, {node(Op::kAdd, {mask, x}, "masked", {-1e9F, 5})}, "p", {0, 1})};
  QuantPlan made = plan();
  EXPECT_FLOAT_EQ(scale(made, "masked"), 16.0F / 255);
  EXPECT_FLOAT_EQ(scale(made, "mask"), 16.0F / 255);
}

TEST_F(WholePlan, AMaskedSumThatOthersReadKeepsItsRange) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {2, 2});
  ValueId masked = node(Op::kAdd, {x, floats("mask", {2, 2}, {0, -1e5F, 0, 0})}, "masked", {-1e5F, 5});
  graph_.outputs = {node(Op::kSoftmax, {masked}, "p", {0, 1}), node(Op::kNeg, {masked}, "n", {-5, 1e5F})};
  EXPECT_FLOAT_EQ(scale(plan(), "masked"), 100005.0F / 255);
}

TEST_F(WholePlan, WhatStaysInFloatIsListedWithItsReason) {
  ranges_.ranges["x"] = {-3, 5};
  ValueId x = input("x", {Dim("N"), 2});
  ValueId a = node(Op::kSigmoid, {x}, "a", {0, 1});
  graph_.outputs = {node(Op::kReduceLogSumExp, {a}, "l", {0, 2})};
  QuantPlan made = plan();
  ASSERT_EQ(made.floats.size(), 1U);
  EXPECT_EQ(made.floats[0].node, "l");
  EXPECT_EQ(made.floats[0].op, "ReduceLogSumExp");
  EXPECT_FALSE(made.floats[0].reason.empty());
}

}  // namespace
}  // namespace zeropoint::toolchain
