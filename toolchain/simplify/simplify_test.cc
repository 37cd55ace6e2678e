// Each pass alone on what it is for and on what it must leave, and all of them together: the same reals come
// out.

#include "zeropoint/toolchain/simplify.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "simplify/graph_view.h"
#include "simplify/passes.h"
#include "zeropoint/half.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

class Simplify : public testing::Test {
 protected:
  ValueId input(Dims dims) { return graph_.add_input(next_name(), ElementType::kFloat32, std::move(dims)); }
  ValueId floats(Shape shape, std::vector<float> values) {
    return graph_.add_constant(next_name(), Tensor::of<float>(std::move(shape), values));
  }
  ValueId random(Shape shape, float low = -1, float high = 1) {
    return graph_.add_constant(next_name(), random_tensor(std::move(shape), low, high));
  }
  ValueId number(float value) { return floats({}, {value}); }
  ValueId ints(std::vector<std::int64_t> values) {
    return graph_.add_constant(next_name(), Tensor::of<std::int64_t>({std::ssize(values)}, values));
  }
  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    std::string name = next_name();
    return graph_.add_node(op, name, std::move(inputs), name, std::move(attributes));
  }
  void output(ValueId id) { graph_.outputs.push_back(id); }

  /// Runs one pass; what is left, as operator names in order. Fails unless the outputs are what they were.
  std::string after(std::size_t (*pass)(Graph&), std::size_t changes = 1) {
    EXPECT_TRUE(infer_shapes(graph_).ok());
    Graph simplified = graph_;
    EXPECT_EQ(pass(simplified), changes);
    remove_dead(simplified);
    expect_same_outputs(simplified);
    return operators(simplified);
  }
  std::string after_all() {
    Graph simplified = graph_;
    Result<std::vector<Simplification>> done = simplify(simplified);
    EXPECT_TRUE(done.ok()) << done.status().message();
    expect_same_outputs(simplified);
    return operators(simplified);
  }

 private:
  std::string next_name() { return "v" + std::to_string(graph_.values.size()); }

  Tensor random_tensor(Shape shape, float low, float high) {
    Tensor tensor(ElementType::kFloat32, std::move(shape));
    std::uniform_real_distribution<float> values(low, high);
    for (float& value : tensor.data<float>()) {
      value = values(engine_);
    }
    return tensor;
  }

  static std::string operators(const Graph& graph) {
    std::string names;
    for (const Node& node : graph.nodes) {
      names += (names.empty() ? "" : " ") + std::string(name_of(node.op));
    }
    return names;
  }

  void expect_same_outputs(const Graph& simplified) {
    ASSERT_TRUE(verify(simplified).ok()) << verify(simplified).message();
    std::vector<Tensor> inputs;
    for (ValueId id : graph_.inputs) {
      inputs.push_back(random_tensor(shape_of(*graph_.value(id).dims, 2), -3, 3));
    }
    std::vector<Tensor> before = run(graph_, inputs);
    std::vector<Tensor> now = run(simplified, inputs);
    ASSERT_EQ(before.size(), now.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(graph_.value(graph_.outputs[i]).name, simplified.value(simplified.outputs[i]).name);
      ASSERT_EQ(before[i].shape(), now[i].shape());
      for (std::size_t k = 0; k < static_cast<std::size_t>(before[i].size()); ++k) {
        float expected = before[i].data<float>()[k];
        EXPECT_NEAR(now[i].data<float>()[k], expected, 2e-5F * std::max(1.0F, std::abs(expected)));
      }
    }
  }

  static std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs) {
    Result<FloatExecutor> executor = FloatExecutor::create(graph, {.threads = 1});
    EXPECT_TRUE(executor.ok()) << executor.status().message();
    Result<std::vector<Tensor>> outputs = executor->run(inputs);
    EXPECT_TRUE(outputs.ok()) << outputs.status().message();
    return outputs.ok() ? *std::move(outputs) : std::vector<Tensor>();
  }

 protected:
  Graph graph_;

 private:
  std::mt19937 engine_{7};
};

TEST_F(Simplify, RemovesWhatPassesItsInputOn) {
  ValueId x = input({Dim("N"), 3, 4, 4});
  ValueId a = node(Op::kRelu, {x});
  ValueId b = node(Op::kIdentity, {a});
  b = node(Op::kDropout, {b});
  b = node(Op::kMul, {number(1), b});
  b = node(Op::kSub, {b, number(0)});
  b = node(Op::kTranspose, {b}, {{"perm", std::vector<std::int64_t>{0, 1, 2, 3}}});
  b = node(Op::kReshape, {b, ints({0, 3, 4, 4})});
  b = node(Op::kPad, {b, ints({0, 0, 0, 0, 0, 0, 0, 0})});
  b = node(Op::kConcat, {b}, {{"axis", std::int64_t{1}}});
  output(node(Op::kSigmoid, {b}));
  EXPECT_EQ(after(remove_identities, 8), "Relu Sigmoid");
}

TEST_F(Simplify, KeepsTheNamesOfOutputs) {
  ValueId x = input({Dim("N"), 3});
  output(node(Op::kIdentity, {node(Op::kRelu, {x})}));
  EXPECT_EQ(after(remove_identities), "Relu");
}

TEST_F(Simplify, FollowsChainsToTheirEnd) {
  ValueId x = input({Dim(2), Dim(3)});
  ValueId last = node(Op::kExp, {x});
  for (int i = 0; i < 50'000; ++i) {  // in time that grows with the chain, not with its square
    last = node(Op::kIdentity, {last});
  }
  output(last);
  output(node(Op::kNeg, {node(Op::kNeg, {last})}));
  EXPECT_EQ(after(remove_identities, 50'000), "Exp Neg Neg");
}

TEST_F(Simplify, NewNamesAreNumbered) {
  Graph graph;
  graph.add_input("x", ElementType::kFloat32, Dims{});
  graph.add_input("x_2", ElementType::kFloat32, Dims{});
  NewNames names(graph);
  EXPECT_EQ(names.take("y"), "y");
  EXPECT_EQ(names.take("x"), "x_3");
  EXPECT_EQ(names.take("x"), "x_4");
  EXPECT_EQ(names.take("y"), "y_2");
}

TEST_F(Simplify, AnInputThatIsAlsoAnOutputKeepsItsIdentity) {
  output(node(Op::kIdentity, {input({Dim("N"), 3})}));
  EXPECT_EQ(after(remove_identities, 0), "Identity");
}

TEST_F(Simplify, KeepsWhatBroadcasts) {
  ValueId x = input({3});
  output(node(Op::kMul, {x, floats({2, 1}, {1, 1})}));
  output(node(Op::kAdd, {x, floats({1, 1}, {0})}));
  EXPECT_EQ(after(remove_identities, 0), "Mul Add");
}

TEST_F(Simplify, MergesTransposesAndReshapes) {
  ValueId x = input({Dim("N"), 3, 4, 5});
  ValueId there = node(Op::kTranspose, {x}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
  ValueId back = node(Op::kTranspose, {there}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  ValueId flat = node(Op::kFlatten, {node(Op::kRelu, {back})}, {{"axis", std::int64_t{2}}});
  ValueId shaped = node(Op::kReshape, {flat, ints({-1, 12, 5})});
  output(node(Op::kSigmoid, {node(Op::kSqueeze, {node(Op::kUnsqueeze, {shaped, ints({1})}), ints({1})})}));
  EXPECT_EQ(after_all(), "Relu Reshape Sigmoid");
}

TEST_F(Simplify, FoldsBatchNormalizationIntoEachKindOfLayer) {
  ValueId x = input({Dim("N"), 4, 6, 6});
  auto norm = [&](ValueId y, std::int64_t c) {
    return node(Op::kBatchNormalization, {y, random({c}), random({c}), random({c}), random({c}, 0.1F, 2)},
                {{"epsilon", 1e-3F}});
  };
  ValueId y = norm(node(Op::kConv, {x, random({6, 2, 3, 3}), random({6})}, {{"group", std::int64_t{2}}}), 6);
  y = norm(node(Op::kConvTranspose, {y, random({6, 2, 2, 2})}, {{"group", std::int64_t{2}}}), 4);
  y = node(Op::kFlatten, {y});
  y = norm(node(Op::kGemm, {y, random({100, 5}), random({5})}), 5);
  output(norm(node(Op::kGemm, {y, random({3, 5})}, {{"transB", std::int64_t{1}}}), 3));
  EXPECT_EQ(after(fold_batch_norm, 4), "Conv ConvTranspose Flatten Gemm Gemm");
}

TEST(RemoveIdentities, LeavesADropoutThatDoesNotSayWhetherItTrains) {
  Graph graph;
  ValueId x = graph.add_input("x", ElementType::kFloat32, {2});
  ValueId a = graph.add_node(Op::kRelu, "a", {x}, "a");
  ValueId none = graph.add_constant("none", Tensor(ElementType::kBool, {0}));
  ValueId b = graph.add_value("b");
  graph.nodes.push_back({Op::kDropout, "b", {a, kNoValue, none}, {b}, {}});
  graph.outputs = {graph.add_node(Op::kRelu, "c", {b}, "c")};
  ASSERT_EQ(infer_shapes(graph).message(), "");
  EXPECT_EQ(remove_identities(graph), 0U);
}

TEST_F(Simplify, LeavesABatchNormalizationBehindWhatOthersRead) {
  ValueId x = input({Dim("N"), 2, 4, 4});
  ValueId y = node(Op::kConv, {x, random({2, 2, 1, 1})});
  output(y);
  output(node(Op::kBatchNormalization, {y, random({2}), random({2}), random({2}), random({2}, 0.1F, 1)}));
  EXPECT_EQ(after(fold_batch_norm, 0), "Conv BatchNormalization");
}

TEST_F(Simplify, FoldsFactorsAndAddendsPerChannel) {
  ValueId x = input({Dim("N"), 2, 4, 4});
  ValueId y = node(Op::kConv, {x, random({3, 2, 1, 1})});
  y = node(Op::kMul, {y, random({1, 3, 1, 1})});
  y = node(Op::kAdd, {random({3, 1, 1}), y});
  y = node(Op::kDiv, {y, number(3)});
  output(node(Op::kSub, {number(1), y}));
  EXPECT_EQ(after_all(), "Conv");
}

TEST_F(Simplify, LeavesWhatIsNoFactorPerChannel) {
  ValueId x = input({Dim("N"), 3, 3, 3});
  ValueId y = node(Op::kConv, {x, random({3, 3, 1, 1})});
  y = node(Op::kAdd, {y, random({3})});  // along the last axis
  y = node(Op::kConv, {y, random({1, 3, 1, 1})});
  output(node(Op::kAdd, {y, random({1, 3, 1, 1})}));  // makes one channel three
  EXPECT_EQ(after_all(), "Conv Add Conv Add");
}

TEST_F(Simplify, MergesPadding) {
  ValueId x = input({Dim("N"), 2, 5, 5});
  ValueId y = node(Op::kPad, {x, ints({0, 0, 1, 0, 0, 0, 2, 1})});
  y = node(Op::kConv, {y, random({2, 2, 3, 3})}, {{"pads", std::vector<std::int64_t>{0, 1, 0, 1}}});
  y = node(Op::kPad, {y, ints({1, 2, 0, 1}), number(0), ints({-1, 2})});
  output(node(Op::kConv, {y, random({1, 2, 2, 2})}));
  EXPECT_EQ(after(merge_pad, 2), "Conv Conv");
}

TEST_F(Simplify, LeavesPaddingThatIsNotZero) {
  ValueId x = input({Dim("N"), 1, 5, 5});
  ValueId y = node(Op::kPad, {x, ints({0, 0, 1, 1, 0, 0, 1, 1}), number(2)});
  y = node(Op::kConv, {y, random({1, 1, 2, 2})});
  y = node(Op::kPad, {y, ints({0, 0, 1, 1, 0, 0, 1, 1})}, {{"mode", std::string("edge")}});
  y = node(Op::kConv, {y, random({1, 1, 2, 2})});
  y = node(Op::kPad, {y, ints({0, 0, 1, 1, 0, 0, 1, 1})});
  output(node(Op::kConv, {y, random({1, 1, 3, 3})}, {{"auto_pad", std::string("SAME_UPPER")}}));
  EXPECT_EQ(after(merge_pad, 0), "Pad Conv Pad Conv Pad Conv");
}

TEST_F(Simplify, MakesAGemmOfAProductAndItsBias) {
  ValueId x = input({Dim("N"), 7});
  output(node(Op::kAdd, {random({4}), node(Op::kMatMul, {x, random({7, 4})})}));
  EXPECT_EQ(after(matmul_to_gemm), "Gemm");
}

TEST_F(Simplify, MakesAGemmOfAProductOfMoreAxesAndItsBias) {
  ValueId x = input({Dim("N"), 5, 7});
  ValueId y = node(Op::kAdd, {node(Op::kMatMul, {x, random({7, 4})}), random({4})});
  output(node(Op::kRelu, {y}));
  output(node(Op::kAdd, {node(Op::kMatMul, {y, random({4, 3})}), random({3})}));
  EXPECT_EQ(after(matmul_to_gemm, 2), "Reshape Gemm Reshape Relu Reshape Gemm Reshape");
}

TEST_F(Simplify, LeavesAProductWhoseExtentsAreUnknownOrWhoseBiasIsShared) {
  ValueId bias = random({4});
  output(node(Op::kAdd, {node(Op::kMatMul, {input({Dim("N"), Dim("L"), 7}), random({7, 4})}), random({4})}));
  output(node(Op::kAdd, {node(Op::kMatMul, {input({2, 5, 7}), random({7, 4})}), bias}));
  output(bias);
  EXPECT_EQ(after(matmul_to_gemm, 0), "MatMul Add MatMul Add");
}

TEST_F(Simplify, FoldsTheFactorsOfAGemm) {
  ValueId x = input({Dim("N"), 7});
  std::int64_t yes = 1;
  ValueId y = node(Op::kGemm, {x, random({4, 7}), random({1, 4})},
                   {{"alpha", 0.3F}, {"beta", -2.0F}, {"transB", yes}});
  y = node(Op::kGemm, {y, random({4, 3}), number(0.7F)});
  y = node(Op::kGemm, {y, random({3, 3})}, {{"beta", 2.0F}});  // that says nothing
  output(node(Op::kGemm, {y, random({3, 2}), random({2})}));
  EXPECT_EQ(after(plain_gemm, 2), "Gemm Gemm Gemm Gemm");
}

// Weights that stand once in the file must not become as many constants as nodes read them.
TEST_F(Simplify, WhatManyReadIsNotFoldedForEach) {
  ValueId y = input({Dim("N"), 3});
  ValueId w = random({3, 3});
  for (int i = 0; i < 20; ++i) {
    y = node(Op::kGemm, {y, w}, {{"alpha", i < 12 ? 0.5F : 0.1F * static_cast<float>(i)}});
  }
  output(y);
  after(plain_gemm, 12);
  Graph simplified = graph_;
  plain_gemm(simplified);
  EXPECT_EQ(simplified.nodes[0].inputs[1], simplified.nodes[11].inputs[1]);
  EXPECT_NE(simplified.nodes[0].inputs[1], w);
  EXPECT_EQ(simplified.nodes[12].inputs[1], w);
}

TEST_F(Simplify, AConvolutionThatManyShareKeepsItsNormalizations) {
  ValueId y = input({Dim("N"), 3, 2, 2});
  ValueId w = random({3, 3, 1, 1});
  for (int i = 0; i < 17; ++i) {
    y = node(Op::kBatchNormalization,
             {node(Op::kConv, {y, w}), random({3}), random({3}), random({3}), random({3}, 0.5F)});
  }
  output(y);
  after(fold_batch_norm, 0);
}

TEST_F(Simplify, MakesOtherGemmsOfPlainOnes) {
  ValueId x = input({7, 2});
  std::int64_t yes = 1;
  // An addend per row, one that is computed, weights that are computed.
  ValueId rows = node(Op::kGemm, {x, random({7, 3}), random({2, 1})}, {{"transA", yes}, {"beta", 0.5F}});
  ValueId all = node(Op::kGemm, {rows, random({3, 3}), rows}, {{"alpha", 3.0F}, {"beta", 2.0F}});
  output(node(Op::kGemm, {x, all, random({3})}, {{"alpha", 0.25F}, {"beta", 4.0F}}));
  output(node(Op::kGemm, {x, x}, {{"transB", yes}}));
  EXPECT_EQ(after(plain_gemm, 4), "Transpose Gemm Add Gemm Mul Add MatMul Mul Add Transpose MatMul");
}

TEST_F(Simplify, LeavesAGemmOfIntegers) {
  ValueId x = graph_.add_input("ints", ElementType::kInt32, {2, 2});
  ValueId w = graph_.add_constant("weights", Tensor::of<std::int32_t>({2, 2}, {1, 2, 3, 4}));
  output(node(Op::kGemm, {x, w}, {{"transA", std::int64_t{1}}}));
  ASSERT_TRUE(infer_shapes(graph_).ok());
  EXPECT_EQ(plain_gemm(graph_), 0U);
}

TEST_F(Simplify, FusesGeluHoweverItIsGrouped) {
  ValueId x = input({Dim("N"), 9});
  ValueId gate = node(Op::kAdd, {number(1), node(Op::kErf, {node(Op::kDiv, {x, number(std::sqrt(2.0F))})})});
  output(node(Op::kMul, {node(Op::kMul, {x, number(0.5F)}), gate}));
  output(node(Op::kMul, {number(0.5F), node(Op::kMul, {gate, x})}));
  ValueId cube = node(Op::kMul, {x, node(Op::kMul, {x, x})});
  ValueId inner = node(Op::kAdd, {x, node(Op::kMul, {cube, number(0.044715F)})});
  ValueId tanh = node(Op::kTanh, {node(Op::kMul, {inner, number(0.7978845608F)})});
  output(node(Op::kMul, {x, node(Op::kMul, {node(Op::kAdd, {tanh, number(1)}), number(0.5F)})}));
  EXPECT_EQ(after(fuse_gelu, 3), "Gelu Gelu Gelu");
}

TEST_F(Simplify, LeavesWhatOnlyLooksLikeGelu) {
  ValueId x = input({Dim("N"), 9});
  ValueId gate = node(Op::kAdd, {number(1), node(Op::kErf, {node(Op::kDiv, {x, number(1.5F)})})});
  output(node(Op::kMul, {node(Op::kMul, {x, number(0.5F)}), gate}));
  EXPECT_EQ(after(fuse_gelu, 0), "Div Erf Add Mul Mul");
}

TEST_F(Simplify, FusesGatesOfAnInputByItself) {
  ValueId x = input({Dim("N"), 9});
  output(node(Op::kMul, {x, node(Op::kSigmoid, {x})}));
  output(node(Op::kMul, {node(Op::kSigmoid, {node(Op::kMul, {x, number(1.702F)})}), x}));
  output(node(Op::kMul, {x, node(Op::kTanh, {node(Op::kSoftplus, {x})})}));
  ValueId clip = node(Op::kClip, {node(Op::kAdd, {x, number(3)}), number(0), number(6)});
  output(node(Op::kDiv, {node(Op::kMul, {x, clip}), number(6)}));
  output(node(Op::kMul, {x, node(Op::kDiv, {clip, number(6)})}));
  EXPECT_EQ(after_all(), "Swish Swish Mish HardSwish HardSwish");
}

// A constant of one element may have more axes than x, and so gives the result more.
TEST_F(Simplify, LeavesFormulasThatGiveMoreAxes) {
  ValueId x = input({Dim(2), Dim(3)});
  ValueId gate = node(Op::kSigmoid, {node(Op::kMul, {x, floats({1, 1, 1}, {2})})});
  output(node(Op::kMul, {x, gate}));
  EXPECT_EQ(after(fuse_activations, 0), "Mul Sigmoid Mul");
  ValueId erf = node(Op::kErf, {node(Op::kMul, {x, floats({1, 1, 1}, {0.70710678F})})});
  output(node(Op::kMul, {node(Op::kMul, {x, node(Op::kAdd, {erf, number(1)})}), number(0.5F)}));
  EXPECT_EQ(after(fuse_gelu, 0), "Mul Sigmoid Mul Mul Erf Add Mul Mul");
}

TEST_F(Simplify, ABiasJoinsANormalizationHoweverItsAxisIsCounted) {
  for (std::int64_t axis : {1, -2}) {
    ValueId x = input({Dim(2), Dim(3), Dim(4)});
    ValueId norm = node(Op::kLayerNormalization, {x, random({3, 4})}, {{"axis", axis}});
    output(node(Op::kAdd, {norm, random({3, 4})}));
  }
  EXPECT_EQ(after(fuse_layer_norm, 2), "LayerNormalization LayerNormalization");
}

TEST_F(Simplify, NothingOfWhatAGemmMultipliesByZeroIsLeft) {
  ValueId x = input({Dim(2), Dim(3)});
  ValueId infinite = floats({4}, std::vector<float>(4, std::numeric_limits<float>::infinity()));
  output(node(Op::kGemm, {x, random({3, 4}), infinite}, {{"beta", 0.0F}}));
  Graph simplified = graph_;
  ASSERT_TRUE(infer_shapes(simplified).ok());
  EXPECT_EQ(plain_gemm(simplified), 1U);
  EXPECT_EQ(simplified.nodes[0].inputs.size(), 2U);
}

TEST_F(Simplify, FusesLayerAndRootMeanSquareNormalization) {
  ValueId x = input({Dim("N"), 4, 8});
  ValueId d = node(Op::kSub, {x, node(Op::kReduceMean, {x, ints({-1})})});
  ValueId variance = node(Op::kReduceMean, {node(Op::kPow, {d, number(2)}), ints({2})});
  ValueId root = node(Op::kSqrt, {node(Op::kAdd, {variance, number(1e-5F)})});
  ValueId y = node(Op::kAdd, {node(Op::kMul, {node(Op::kDiv, {d, root}), random({8})}), random({8})});
  ValueId square = node(Op::kReduceMean, {node(Op::kMul, {y, y}), ints({-1})});
  ValueId inverse = node(Op::kReciprocal, {node(Op::kSqrt, {node(Op::kAdd, {square, number(1e-6F)})})});
  output(node(Op::kMul, {random({8}), node(Op::kMul, {y, inverse})}));
  EXPECT_EQ(after_all(), "LayerNormalization RMSNormalization");
}

TEST_F(Simplify, LeavesANormalizationOverOtherAxes) {
  ValueId x = input({Dim("N"), 4, 8});
  ValueId d = node(Op::kSub, {x, node(Op::kReduceMean, {x, ints({1})})});
  ValueId variance = node(Op::kReduceMean, {node(Op::kPow, {d, number(2)}), ints({1})});
  ValueId root = node(Op::kSqrt, {node(Op::kAdd, {variance, number(1e-5F)})});
  output(node(Op::kMul, {node(Op::kDiv, {d, root}), random({8})}));
  EXPECT_EQ(after(fuse_layer_norm, 0), "ReduceMean Sub Pow ReduceMean Add Sqrt Div Mul");
}

TEST_F(Simplify, ComputesShapesAway) {
  ValueId x = input({Dim("N"), 3, 4});
  ValueId shape = node(Op::kShape, {x});
  ValueId channels = node(Op::kGather, {shape, ints({1})});
  ValueId wanted = node(Op::kConcat, {ints({-1}), channels, ints({4})}, {{"axis", std::int64_t{0}}});
  output(node(Op::kReshape, {node(Op::kRelu, {x}), wanted}));
  EXPECT_EQ(after_all(), "Relu");
}

TEST_F(Simplify, WidensHalves) {
  ValueId x = graph_.add_input("x", ElementType::kFloat16, {Dim("N"), 2});
  Tensor half = narrow(Tensor::of<float>({2}, std::vector<float>{1.5F, -0.25F}), ElementType::kFloat16);
  ValueId w = graph_.add_constant("w", half);
  ValueId sum = node(Op::kAdd, {x, w});
  output(node(Op::kCast, {node(Op::kCast, {sum}, {{"to", std::int64_t{16}}})}, {{"to", std::int64_t{10}}}));
  ASSERT_TRUE(infer_shapes(graph_).ok());
  Result<bool> changed = widen_halves(graph_);
  ASSERT_TRUE(changed.ok()) << changed.status().message();
  EXPECT_TRUE(*changed);
  for (const Value& value : graph_.values) {
    EXPECT_EQ(value.type, ElementType::kFloat32) << value.name;
  }
  EXPECT_EQ(*graph_.value(w).constant, Tensor::of<float>({2}, std::vector<float>{1.5F, -0.25F}));
  EXPECT_FALSE(*widen_halves(graph_));
}

}  // namespace
}  // namespace zeropoint::toolchain
