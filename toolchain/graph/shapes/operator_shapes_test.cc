// Shape rules on inputs with symbols, and how extents are followed through integer computations.

#include <gtest/gtest.h>

#include "graph/inference.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {
namespace {

using Ints = std::vector<std::int64_t>;

/// A graph of one operator after another.
class OperatorShapes : public ::testing::Test {
 protected:
  ValueId input(Dims dims, ElementType type = ElementType::kFloat32) {
    return graph_.add_input(next_name(), type, std::move(dims));
  }
  /// An input of which nothing but the type is known.
  ValueId unknown() {
    ValueId id = input({});
    graph_.value(id).dims.reset();
    return id;
  }
  ValueId weights(Shape shape) {
    return graph_.add_constant(next_name(), Tensor(ElementType::kFloat32, std::move(shape)));
  }
  ValueId ints(const Ints& values) {
    return graph_.add_constant(next_name(),
                               Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  }
  ValueId scalar(std::int64_t value) {
    return graph_.add_constant(next_name(), Tensor::of<std::int64_t>({}, Ints{value}));
  }
  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    std::string name = next_name();
    return graph_.add_node(op, name, std::move(inputs), name, std::move(attributes));
  }

  /// "float32[N, 3]", with "?" for unknown dims; or what is wrong.
  std::string shape(ValueId id) {
    Status status = infer_shapes(graph_);
    if (!status.ok()) {
      return status.message();
    }
    const Value& value = graph_.value(id);
    return std::string(zeropoint::name_of(value.type)) + (value.dims ? to_string(*value.dims) : "?");
  }

  /// "N 3" for what is known of the elements; "_" for one that is not known, "?" where none is.
  std::string elements(ValueId id) {
    Result<std::vector<Elements>> all = infer_shapes_and_elements(graph_);
    if (!all.ok()) {
      return all.status().message();
    }
    const Elements& known = (*all)[static_cast<std::size_t>(id)];
    std::string text = known ? "" : "?";
    for (std::size_t i = 0; known && i < known->size(); ++i) {
      const SymbolicInt& element = (*known)[i];
      const auto* number = std::get_if<std::int64_t>(&element);
      const std::string symbol = number == nullptr ? std::get<std::string>(element) : std::to_string(*number);
      text += (i == 0 ? "" : " ") + (symbol.empty() ? "_" : symbol);
    }
    return text;
  }

  void start_again() { graph_ = Graph(); }

  Graph graph_;

 private:
  std::string next_name() { return "v" + std::to_string(graph_.values.size()); }
};

TEST_F(OperatorShapes, Broadcasting) {
  ValueId x = input({Dim("N"), 1, 4});
  EXPECT_EQ(shape(node(Op::kAdd, {x, input({3, 1})})), "float32[N, 3, 4]");
  EXPECT_EQ(shape(node(Op::kSum, {input({4}), x, input({Dim("N"), 1, 1})})), "float32[N, 1, 4]");
  EXPECT_EQ(shape(node(Op::kLess, {x, x})), "bool[N, 1, 4]");
  EXPECT_EQ(shape(node(Op::kPow, {x, input({}, ElementType::kInt64)})), "float32[N, 1, 4]");
  ValueId condition = input({5, 1, 1}, ElementType::kBool);
  EXPECT_EQ(shape(node(Op::kWhere, {condition, input({2, 1}), input({3})})), "float32[5, 2, 3]");
  EXPECT_EQ(shape(node(Op::kPRelu, {x, input({4})})), "float32[N, 1, 4]");
  EXPECT_NE(shape(node(Op::kPRelu, {x, input({3, 1})})).find("slopes [3, 1] do not fit input [N, 1, 4]"),
            std::string::npos);
}

TEST_F(OperatorShapes, TypesMustAgree) {
  ValueId x = input({2});
  EXPECT_EQ(shape(node(Op::kAdd, {x, input({2}, ElementType::kInt64)})),
            "Add 'v2': tensor 'v1' is int64; float32 is needed");
}

TEST_F(OperatorShapes, Casts) {
  ValueId x = input({Dim("N"), 2});
  EXPECT_EQ(shape(node(Op::kCast, {x}, {{"to", std::int64_t{10}}})), "float16[N, 2]");
  EXPECT_EQ(shape(node(Op::kCastLike, {x, ints({1})})), "int64[N, 2]");
  EXPECT_EQ(shape(node(Op::kIsNaN, {x})), "bool[N, 2]");
}

TEST_F(OperatorShapes, Reductions) {
  ValueId x = input({Dim("N"), 3, 4});
  EXPECT_EQ(shape(node(Op::kReduceMean, {x, ints({-1})})), "float32[N, 3, 1]");
  EXPECT_EQ(shape(node(Op::kReduceSum, {x, ints({1, 2})}, {{"keepdims", std::int64_t{0}}})), "float32[N]");
  EXPECT_EQ(shape(node(Op::kReduceSum, {x})), "float32[1, 1, 1]");
  EXPECT_EQ(shape(node(Op::kReduceSum, {x}, {{"noop_with_empty_axes", std::int64_t{1}}})),
            "float32[N, 3, 4]");
  EXPECT_EQ(shape(node(Op::kReduceSum, {x, input({Dim("A")}, ElementType::kInt64)})), "float32[?, ?, ?]");
  EXPECT_EQ(shape(node(Op::kArgMax, {x}, {{"axis", std::int64_t{1}}})), "int64[N, 1, 4]");
  EXPECT_EQ(shape(node(Op::kTopK, {x, ints({2})})), "float32[N, 3, 2]");
  EXPECT_NE(shape(node(Op::kSoftmax, {x}, {{"axis", std::int64_t{3}}})).find("axis 3 is outside"),
            std::string::npos);
}

TEST_F(OperatorShapes, KMayNotBeLargerThanTheAxis) {
  EXPECT_NE(shape(node(Op::kTopK, {input({4}), ints({5})})).find("k does not fit axis 0 of input [4]"),
            std::string::npos);
}

TEST_F(OperatorShapes, Normalizations) {
  ValueId x = input({Dim("N"), 3, 4});
  EXPECT_EQ(shape(node(Op::kLayerNormalization, {x, input({4})})), "float32[N, 3, 4]");
  ValueId c = input({3});
  EXPECT_EQ(shape(node(Op::kBatchNormalization, {x, c, c, c, c})), "float32[N, 3, 4]");
  EXPECT_EQ(shape(node(Op::kInstanceNormalization, {x, c, c})), "float32[N, 3, 4]");
  ValueId wrong = input({4});
  EXPECT_NE(shape(node(Op::kInstanceNormalization, {x, c, wrong})).find("does not fit the channels"),
            std::string::npos);
}

TEST_F(OperatorShapes, EinsumKeepsSymbols) {
  ValueId q = input({Dim("N"), 8, Dim("T"), 64});
  ValueId k = input({Dim("N"), 8, Dim("S"), 64});
  EXPECT_EQ(shape(node(Op::kEinsum, {q, k}, {{"equation", std::string("bhqd,bhkd->bhqk")}})),
            "float32[N, 8, T, S]");
  EXPECT_EQ(shape(node(Op::kEinsum, {q}, {{"equation", std::string("...ij->...ji")}})),
            "float32[N, 8, 64, T]");
  EXPECT_NE(shape(node(Op::kEinsum, {q, input({3})}, {{"equation", std::string("abcd,d->abc")}}))
                .find("does not fit"),
            std::string::npos);
}

TEST_F(OperatorShapes, Recurrent) {
  ValueId x = input({Dim("T"), Dim("N"), 3});
  ValueId w = input({2, 20, 3});
  ValueId r = input({2, 20, 5});
  EXPECT_EQ(shape(node(Op::kLSTM, {x, w, r}, {{"direction", std::string("bidirectional")}})),
            "float32[T, 2, N, 5]");
  EXPECT_NE(shape(node(Op::kLSTM, {x, w, r})).find("do not fit input"), std::string::npos);
}

TEST_F(OperatorShapes, ExtentsAreFollowedThroughArithmetic) {
  ValueId extents = node(Op::kShape, {input({Dim("N"), 3, 4})});
  EXPECT_EQ(elements(extents), "N 3 4");
  EXPECT_EQ(elements(node(Op::kShape, {input({Dim("N"), 3, 4})}, {{"start", std::int64_t{1}}})), "3 4");
  EXPECT_EQ(elements(node(Op::kMul, {extents, ints({1, 2, 3})})), "N 6 12");
  EXPECT_EQ(elements(node(Op::kAdd, {extents, scalar(0)})), "N 3 4");
  EXPECT_EQ(elements(node(Op::kAdd, {extents, scalar(1)})), "_ 4 5");
  EXPECT_EQ(elements(node(Op::kSub, {extents, extents})), "0 0 0");
  EXPECT_EQ(elements(node(Op::kDiv, {extents, scalar(1)})), "N 3 4");
  EXPECT_EQ(elements(node(Op::kDiv, {ints({7}), scalar(0)})), "_");
  EXPECT_EQ(elements(node(Op::kMul, {ints({1LL << 62}), scalar(4)})), "_");
  EXPECT_EQ(elements(node(Op::kCast, {extents}, {{"to", std::int64_t{7}}})), "N 3 4");
  EXPECT_EQ(elements(node(Op::kCast, {ints({3, 4})}, {{"to", std::int64_t{6}}})), "3 4");
  EXPECT_EQ(elements(node(Op::kCast, {ints({1LL << 40})}, {{"to", std::int64_t{6}}})), "?");
  EXPECT_EQ(elements(node(Op::kSize, {input({2, 3})})), "6");
}

// torch.expand: Where(Equal(shape, -1), ones, shape)
TEST_F(OperatorShapes, ExtentsAreFollowedThroughAChoice) {
  ValueId extents = node(Op::kShape, {input({Dim("N"), 3})});
  ValueId count = node(Op::kShape, {extents});
  ValueId ones = node(Op::kConstantOfShape, {count},
                      {{"value", std::make_shared<const Tensor>(Tensor::of<std::int64_t>({1}, Ints{1}))}});
  EXPECT_EQ(elements(ones), "1 1");
  ValueId minus = node(Op::kMul, {ones, scalar(-1)});
  ValueId asked = node(Op::kWhere, {node(Op::kEqual, {extents, minus}), ones, extents});
  EXPECT_EQ(elements(asked), "N 3");
  EXPECT_EQ(shape(node(Op::kConstantOfShape, {asked})), "float32[N, 3]");
}

TEST_F(OperatorShapes, Generators) {
  EXPECT_EQ(elements(node(Op::kRange, {scalar(2), scalar(8), scalar(3)})), "2 5");
  ValueId length = node(Op::kShape, {input({Dim("T")})});
  EXPECT_EQ(shape(node(Op::kConstantOfShape, {length})), "float32[T]");
  ValueId index = input({Dim("N")}, ElementType::kInt64);
  EXPECT_EQ(shape(node(Op::kOneHot, {index, scalar(5), input({2})}, {{"axis", std::int64_t{0}}})),
            "float32[5, N]");
  EXPECT_EQ(shape(node(Op::kNonZero, {input({2, 3})})), "int64[2, ?]");
  EXPECT_EQ(shape(node(Op::kEyeLike, {input({2, 3})}, {{"dtype", std::int64_t{7}}})), "int64[2, 3]");
  EXPECT_EQ(shape(node(Op::kConstant, {}, {{"value_floats", std::vector<float>{1, 2}}})), "float32[2]");
  EXPECT_EQ(shape(node(Op::kDropout, {input({Dim("N")})})), "float32[N]");
}

// Rules read elements by the extents that they see.
TEST_F(OperatorShapes, ElementsAreAsManyAsTheExtentSays) {
  ValueId symbol = node(Op::kShape, {input({Dim("N")})});
  ValueId none = node(Op::kReshape, {ints({}), symbol});
  EXPECT_EQ(elements(none), "?");
  EXPECT_EQ(elements(node(Op::kSlice, {none, ints({0}), ints({1})})), "?");
  ValueId three = node(Op::kReshape, {ints({1, 2, 3}), symbol});
  EXPECT_EQ(shape(three), "int64[N]");
  EXPECT_EQ(elements(node(Op::kSplit, {three, ints({900})})), "?");
  ValueId two = node(Op::kReshape, {ints({1, 2}), symbol});
  EXPECT_EQ(elements(node(Op::kAdd, {three, two})), "?");
  EXPECT_EQ(elements(node(Op::kReshape, {ints({1, 2}), ints({-1})})), "1 2");
  EXPECT_EQ(elements(node(Op::kReshape, {ints({1, 2}), ints({1, 2})})), "?");
}

TEST_F(OperatorShapes, ListsBeyondWhatShapesNeedAreNotFollowed) {
  ValueId list = ints(Ints(1000, 1));
  EXPECT_EQ(elements(node(Op::kConcat, {list, list}, {{"axis", std::int64_t{0}}})), "?");
}

// An input of which nothing is known has the rank that its weights need.
TEST_F(OperatorShapes, WeightsAreCheckedWhateverTheInput) {
  EXPECT_EQ(shape(node(Op::kConv, {unknown(), weights({4, 3, 3, 3})})), "float32[?, 4, ?, ?]");
  EXPECT_EQ(shape(node(Op::kConvTranspose, {unknown(), weights({4, 3, 3})}, {{"group", std::int64_t{2}}})),
            "float32[?, 6, ?]");
  EXPECT_EQ(shape(node(Op::kGemm, {unknown(), weights({3, 4})})), "float32[?, 4]");
}

TEST_F(OperatorShapes, WeightsThatAreNoneAreRefused) {
  for (const Shape& bad : {Shape{}, {4}, {4, 4}}) {
    for (Op op : {Op::kConv, Op::kConvTranspose}) {
      start_again();
      std::string message = shape(node(op, {unknown(), weights(bad)}));
      EXPECT_NE(message.find("in 1 group(s) do not fit input"), std::string::npos) << message;
    }
  }
  for (std::int64_t group : {std::int64_t{0}, std::int64_t{4}, INT64_MAX}) {
    start_again();
    std::string message =
        shape(node(Op::kConvTranspose, {unknown(), weights({2, 3, 3, 3})}, {{"group", group}}));
    EXPECT_NE(message.find("group(s) do not fit input"), std::string::npos) << message;
  }
  for (const Shape& bad : {Shape{}, {4}, {2, 2, 2}}) {
    start_again();
    std::string message = shape(node(Op::kGemm, {unknown(), weights(bad)}));
    EXPECT_NE(message.find("cannot be multiplied"), std::string::npos) << message;
  }
  start_again();
  std::string message = shape(node(Op::kGemm, {unknown(), weights({3, 4}), weights({5})}));
  EXPECT_NE(message.find("bias [5] does not fit the product [?, 4]"), std::string::npos) << message;
}

TEST_F(OperatorShapes, ZeroPointsAreCheckedWhateverTheInput) {
  ValueId zeros = graph_.add_constant("zeros", Tensor(ElementType::kUint8, {1000}));
  std::string message = shape(node(Op::kQuantizeLinear, {unknown(), weights({}), zeros}));
  EXPECT_NE(message.find("scale [] and zero point [1000] differ in shape"), std::string::npos) << message;
}

TEST_F(OperatorShapes, EqualPartsDoNotOverflow) {
  std::string message = shape(node(Op::kSplit, {input({5})}, {{"num_outputs", INT64_MAX}}));
  EXPECT_NE(message.find("cannot be split into 9223372036854775807 equal parts"), std::string::npos)
      << message;
}

TEST_F(OperatorShapes, PadsAreOf64Bits) {
  ValueId pads = graph_.add_constant("pads", Tensor(ElementType::kInt32, {2}));
  std::string message = shape(node(Op::kPad, {input({5}), pads}));
  EXPECT_NE(message.find("tensor 'pads' is int32; int64 is needed"), std::string::npos) << message;
}

TEST_F(OperatorShapes, NoTensorHasMoreThan64Axes) {
  EXPECT_EQ(shape(node(Op::kRelu, {input(Dims(64, Dim(1)))})).substr(0, 8), "float32[");
  std::string message = shape(node(Op::kUnsqueeze, {input(Dims(64, Dim(1))), ints({0})}));
  EXPECT_NE(message.find("its output has 65 axes; at most 64 are supported"), std::string::npos) << message;
}

}  // namespace
}  // namespace zeropoint::toolchain
