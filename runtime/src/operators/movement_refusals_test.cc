// What the operators that move elements say to inputs that no sound model has.

#include <limits>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::lowest();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kHuge = std::int64_t{1} << 62;

Attributes ints(const std::string& name, Ints values) { return {{name, std::move(values)}}; }
Attributes integer(const std::string& name, std::int64_t value) { return {{name, value}}; }
Attributes text(const std::string& name, const std::string& value) { return {{name, value}}; }

Tensor list(const Ints& values) { return longs({static_cast<std::int64_t>(values.size())}, values); }

/// Zeros; no memory where an extent is 0, however large the others are.
Tensor blank(Shape shape, ElementType type = ElementType::kFloat32) { return {type, std::move(shape)}; }

StatusCode code(Op op, const Inputs& inputs, const Attributes& attributes = {}) {
  return call(op, inputs, attributes).status().code();
}

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr StatusCode kTooLarge = StatusCode::kResourceExhausted;

TEST(MovementRefusals, Transpose) {
  Tensor x = blank({2, 3});
  for (const Ints& perm : {Ints{0}, Ints{0, 0}, Ints{0, 2}, Ints{-1, 0}, Ints{0, 1, 2}, Ints{kMost, 0}}) {
    EXPECT_EQ(refusal(Op::kTranspose, {x}, ints("perm", perm)),
              "attribute perm " + to_string(perm) + " does not order the axes of input [2, 3]");
  }
  // The extents turned round are more elements than can be counted before the 0 is met.
  EXPECT_EQ(code(Op::kTranspose, {blank({0, kHuge, 2})}), kInvalid);
}

TEST(MovementRefusals, BlocksOfImages) {
  Tensor x = blank({1, 4, 2, 2});
  for (Op op : {Op::kDepthToSpace, Op::kSpaceToDepth}) {
    EXPECT_EQ(code(op, {blank({4, 2, 2})}, integer("blocksize", 2)), kInvalid);
    for (std::int64_t block : {kLowest, std::int64_t{0}, std::int64_t{3}, kHuge, kMost}) {
      EXPECT_EQ(code(op, {x}, integer("blocksize", block)), kInvalid) << name_of(op) << block;
    }
  }
  EXPECT_EQ(refusal(Op::kDepthToSpace, {x}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("RCD")}}),
            "attribute mode is 'RCD'; DCR or CRD is needed");
  // Beside an extent of 0 the block may be anything that divides it.
  EXPECT_EQ(code(Op::kSpaceToDepth, {blank({1, 4, 0, 0})}, integer("blocksize", kHuge)), kInvalid);
}

TEST(MovementRefusals, Slice) {
  Tensor x = blank({2, 3});
  EXPECT_EQ(refusal(Op::kSlice, {x, list({0}), list({1}), list({2})}), "axis 2 is outside of input [2, 3]");
  EXPECT_EQ(refusal(Op::kSlice, {x, list({0}), list({1}), list({0}), list({0})}), "it slices in steps of 0");
  EXPECT_EQ(refusal(Op::kSlice, {x, list({0}), list({1, 2})}), "input 2 has 2 elements; 1 are needed");
  EXPECT_EQ(code(Op::kSlice, {x, list({0, 0, 0}), list({1, 1, 1})}), kInvalid);
  EXPECT_EQ(code(Op::kSlice, {x, floats({1}, {0}), list({1})}), kInvalid);
  EXPECT_EQ(code(Op::kSlice, {x, longs({1, 1}, {0}), list({1})}), kInvalid);
  EXPECT_EQ(code(Op::kSlice, {x, list({0}), list({1}), list({kLowest})}), kInvalid);
  // Bounds and steps of any size are clamped.
  Tensor row = longs({3}, {1, 2, 3});
  EXPECT_EQ(first(Op::kSlice, {row, list({kLowest}), list({kMost}), list({0}), list({kMost})}), list({1}));
  EXPECT_EQ(first(Op::kSlice, {row, list({kMost}), list({kLowest}), list({0}), list({kLowest})}), list({3}));
  for (std::int64_t step : {kLowest, std::int64_t{-2}, std::int64_t{2}, kMost}) {
    Tensor empty = blank({0, kMost});
    EXPECT_EQ(first(Op::kSlice, {empty, list({-2}), list({kMost}), list({1}), list({step})}).dim(0), 0);
  }
}

TEST(MovementRefusals, Expand) {
  Tensor x = blank({2, 1});
  EXPECT_EQ(refusal(Op::kExpand, {x, list({3, 1})}), "input [2, 1] cannot be broadcast to [3, 1]");
  EXPECT_EQ(code(Op::kExpand, {x, list({2, -1})}), kInvalid);
  EXPECT_EQ(code(Op::kExpand, {x, list({2, kLowest})}), kInvalid);
  EXPECT_EQ(code(Op::kExpand, {x, floats({2}, {2, 2})}), kInvalid);
  EXPECT_EQ(code(Op::kExpand, {x, list({2, std::int64_t{1} << 40})}), kTooLarge);
  EXPECT_EQ(code(Op::kExpand, {x, list({kHuge, 2, 1})}), kInvalid);  // 2^64 elements
  EXPECT_EQ(code(Op::kExpand, {x, list({kHuge, 1, 1})}), kInvalid);
  EXPECT_EQ(first(Op::kExpand, {x, list({0, 2, kHuge})}).size(), 0);
}

TEST(MovementRefusals, Tile) {
  Tensor x = blank({2, 1});
  EXPECT_EQ(refusal(Op::kTile, {x, list({2})}), "input [2, 1] cannot be repeated [2] times");
  EXPECT_EQ(code(Op::kTile, {x, list({1, -1})}), kInvalid);
  EXPECT_EQ(code(Op::kTile, {x, list({kHuge, 1})}), kInvalid);
  EXPECT_EQ(code(Op::kTile, {x, list({1, std::int64_t{1} << 40})}), kTooLarge);
  EXPECT_EQ(first(Op::kTile, {x, list({0, kHuge})}).shape(), (Shape{0, kHuge}));
}

TEST(MovementRefusals, Pad) {
  Tensor x = blank({2, 3});
  std::string fits_not = " do not fit input [2, 3]";
  EXPECT_EQ(refusal(Op::kPad, {x, list({0, 0, 1})}), "pads [0, 0, 1]" + fits_not);
  EXPECT_EQ(code(Op::kPad, {x, list({0, 0, kMost, 0})}), kInvalid);
  EXPECT_EQ(code(Op::kPad, {x, list({0, kLowest, 0, 0})}), kInvalid);
  EXPECT_EQ(code(Op::kPad, {x, list({0, 0, std::int64_t{1} << 39, 0})}), kTooLarge);
  EXPECT_EQ(refusal(Op::kPad, {x, list({-2, 0, -1, 0})}),
            "input [2, 3] has too few elements along axis 0 for pads -2 and -1");
  EXPECT_EQ(code(Op::kPad, {x, list({-3, 0, 3, 0})}), kInvalid);
  EXPECT_EQ(code(Op::kPad, {blank({0, 3}), list({1, 0, 0, 0})}, text("mode", "edge")), kInvalid);
  EXPECT_EQ(code(Op::kPad, {blank({0, 3}), list({1, 0, 0, 0})}, text("mode", "reflect")), kInvalid);
  EXPECT_EQ(first(Op::kPad, {blank({0, 3}), list({1, 0, 0, 0})}), blank({1, 3}));
  EXPECT_EQ(code(Op::kPad, {x, list({0, 0, 0, 0})}, text("mode", "mirror")), kInvalid);
  EXPECT_EQ(code(Op::kPad, {x, list({0, 0, 0, 0}), longs({}, {0})}), kInvalid);
  EXPECT_EQ(code(Op::kPad, {x, list({0, 0, 0, 0}), floats({2}, {0, 0})}), kInvalid);
  EXPECT_EQ(code(Op::kPad, {x, list({1, 1}), std::nullopt, list({2})}), kInvalid);
  EXPECT_EQ(refusal(Op::kPad, {x, list({1, 1, 2, 2}), std::nullopt, list({0, -2})}),
            "axes [0, -2] name axis 0 twice");
  // No sum of extents and pads overflows.
  EXPECT_EQ(code(Op::kPad, {blank({0, kMost}), list({0, 1, 0, 1})}), kInvalid);
}

TEST(MovementRefusals, Concat) {
  Tensor x = blank({2, 3});
  EXPECT_EQ(refusal(Op::kConcat, {x, blank({2, 4})}, integer("axis", 0)),
            "inputs [2, 3] and [2, 4] cannot be joined along axis 0");
  EXPECT_EQ(code(Op::kConcat, {x, blank({2})}, integer("axis", 0)), kInvalid);
  EXPECT_EQ(code(Op::kConcat, {x, std::nullopt}, integer("axis", 0)), kInvalid);
  EXPECT_EQ(code(Op::kConcat, {x, blank({2, 3}, ElementType::kInt32)}, integer("axis", 0)), kInvalid);
  EXPECT_EQ(code(Op::kConcat, {blank({})}, integer("axis", 0)), kInvalid);
  for (std::int64_t axis : {kLowest, std::int64_t{-3}, std::int64_t{2}, kMost}) {
    EXPECT_EQ(code(Op::kConcat, {x, x}, integer("axis", axis)), kInvalid);
  }
  Tensor empty = blank({0, kHuge});
  EXPECT_EQ(code(Op::kConcat, {empty, empty}, integer("axis", 1)), kInvalid);  // 2^63 along the axis
}

TEST(MovementRefusals, Split) {
  Tensor x = blank({2, 3});
  EXPECT_EQ(refusal(Op::kSplit, {x, list({1, 3})}, integer("axis", 1)),
            "parts [1, 3] do not make up the axis of input [2, 3]");
  for (const Ints& parts : {Ints{4, -1}, Ints{kMost, kMost}, Ints{}, Ints{3, kLowest}}) {
    EXPECT_EQ(code(Op::kSplit, {x, list(parts)}, integer("axis", 1)), kInvalid) << to_string(parts);
  }
  for (std::int64_t parts : {std::int64_t{5}, kMost}) {
    EXPECT_EQ(code(Op::kSplit, {x}, {{"axis", std::int64_t{1}}, {"num_outputs", parts}}), kInvalid);
  }
  EXPECT_FALSE(call(Op::kSplit, {x, list({3})}, integer("axis", 1), 2).ok());
  EXPECT_FALSE(call(Op::kSplit, {x}, integer("axis", 1), 5).ok());
  EXPECT_EQ(code(Op::kSplit, {x}, integer("axis", -3)), kInvalid);
  Result<std::vector<Tensor>> halves = call(Op::kSplit, {blank({0, kMost})}, integer("axis", 1), 2);
  ASSERT_TRUE(halves.ok()) << halves.status().message();
  EXPECT_EQ((*halves)[0].shape(), (Shape{0, kHuge}));
  EXPECT_EQ((*halves)[1].shape(), (Shape{0, kHuge - 1}));
}

TEST(MovementRefusals, Reshape) {
  Tensor x = blank({2, 3});
  for (const Ints& shape : {Ints{5}, Ints{-1, -1}, Ints{-2, 3}, Ints{4, -1}, Ints{2, 3, 0}, Ints{kHuge, 4},
                            Ints{kHuge, 4, -1}, Ints{kLowest}}) {
    EXPECT_EQ(refusal(Op::kReshape, {x, list(shape)}),
              "input [2, 3] cannot take the shape " + to_string(shape));
  }
  EXPECT_EQ(code(Op::kReshape, {x, list({0, -1})}, integer("allowzero", 1)), kInvalid);
  EXPECT_EQ(code(Op::kReshape, {x, floats({1}, {6})}), kInvalid);
  EXPECT_EQ(code(Op::kReshape, {blank({0, 2}), list({0, -1})}), kInvalid);  // -1 could be anything
  EXPECT_EQ(first(Op::kReshape, {blank({0, 2}), list({-1, 2})}).shape(), (Shape{0, 2}));
  EXPECT_EQ(first(Op::kReshape, {blank({0, 2}), list({0, kHuge, kHuge})}, integer("allowzero", 1)).size(), 0);
}

TEST(MovementRefusals, SqueezeAndUnsqueeze) {
  Tensor x = blank({2, 1});
  EXPECT_EQ(refusal(Op::kSqueeze, {x, list({0})}), "axis 0 of input [2, 1] is not 1 and cannot be removed");
  for (const Ints& axes : {Ints{2}, Ints{-3}, Ints{1, 1}, Ints{1, -1}, Ints{kLowest}, Ints{kMost}}) {
    EXPECT_EQ(refusal(Op::kSqueeze, {x, list(axes)}),
              "axes " + to_string(axes) + " do not fit a tensor of 2 axes");
  }
  for (const Ints& axes : {Ints{3}, Ints{-4}, Ints{kLowest}, Ints{kMost}}) {
    EXPECT_EQ(refusal(Op::kUnsqueeze, {x, list(axes)}),
              "axes " + to_string(axes) + " do not fit a tensor of 3 axes");
  }
  EXPECT_EQ(code(Op::kUnsqueeze, {x, list({0, -4})}), kInvalid);  // the same axis of four
}

TEST(MovementRefusals, ReverseSequenceAndTrilu) {
  Tensor x = blank({2, 3});
  Attributes rows{{"time_axis", std::int64_t{1}}, {"batch_axis", std::int64_t{0}}};
  for (const Ints& lengths : {Ints{3}, Ints{3, 4}, Ints{3, -1}, Ints{3, 3, 3}, Ints{kMost, kLowest}}) {
    EXPECT_EQ(code(Op::kReverseSequence, {x, list(lengths)}, rows), kInvalid) << to_string(lengths);
  }
  EXPECT_EQ(code(Op::kReverseSequence, {x, list({1, 1})}, integer("time_axis", 1)), kInvalid);
  EXPECT_EQ(code(Op::kReverseSequence, {blank({2}), list({1, 1})}, rows), kInvalid);
  EXPECT_EQ(code(Op::kReverseSequence, {blank({0, kHuge}), list({})}, rows), StatusCode::kOk);
  EXPECT_EQ(refusal(Op::kTrilu, {blank({3})}), "input [3] is no matrix");
  EXPECT_EQ(refusal(Op::kTrilu, {x, list({1, 2})}), "k must be one number");
  EXPECT_EQ(first(Op::kTrilu, {floats({1, 2}, {1, 2}), longs({}, {kMost})}), blank({1, 2}));
  EXPECT_EQ(first(Op::kTrilu, {floats({1, 2}, {1, 2}), longs({}, {kLowest})}), floats({1, 2}, {1, 2}));
  EXPECT_EQ(first(Op::kTrilu, {blank({0, 2, 0})}), blank({0, 2, 0}));
}

}  // namespace
}  // namespace zeropoint::operators
