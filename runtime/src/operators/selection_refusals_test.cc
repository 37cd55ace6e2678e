// What the operators that choose elements by indices, resize, and pool back say to inputs that no sound model
// has.

#include <cmath>
#include <limits>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::lowest();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kHuge = std::int64_t{1} << 62;
constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;

Attributes integer(const std::string& name, std::int64_t value) { return {{name, value}}; }
Tensor list(const Ints& values) { return longs({static_cast<std::int64_t>(values.size())}, values); }
Tensor blank(Shape shape, ElementType type = ElementType::kFloat32) { return {type, std::move(shape)}; }

StatusCode code(Op op, const Inputs& inputs, const Attributes& attributes = {}) {
  return call(op, inputs, attributes).status().code();
}

TEST(SelectionRefusals, Gather) {
  Tensor x = blank({2, 3});
  for (std::int64_t index : {kLowest, std::int64_t{-3}, std::int64_t{2}, kMost}) {
    EXPECT_EQ(refusal(Op::kGather, {x, list({0, index})}),
              "index " + std::to_string(index) + " is outside of an axis of 2 elements");
  }
  EXPECT_EQ(refusal(Op::kGather, {x, list({0})}, integer("axis", 2)), "axis 2 is outside of input [2, 3]");
  EXPECT_EQ(refusal(Op::kGather, {x, floats({1}, {0})}), "its indices are float32; int64 or int32 is needed");
  EXPECT_EQ(code(Op::kGather, {blank({}), list({0})}), kInvalid);
  EXPECT_EQ(code(Op::kGather, {blank({0, 3}), list({0})}), kInvalid);
  EXPECT_EQ(first(Op::kGather, {blank({0, 3}), list({})}), blank({0, 3}));
  EXPECT_EQ(code(Op::kGather, {x, blank({1 << 20}, ElementType::kInt64)}), StatusCode::kResourceExhausted);
  EXPECT_EQ(code(Op::kGather, {blank({4, 0}), blank({0, kHuge, 4}, ElementType::kInt64)}), StatusCode::kOk);
}

TEST(SelectionRefusals, ElementsByIndices) {
  Tensor x = blank({2, 3});
  Tensor updates = blank({1, 2});
  for (std::int64_t index : {kLowest, std::int64_t{-3}, std::int64_t{2}, kMost}) {
    Tensor indices = longs({1, 2}, {0, index});
    EXPECT_EQ(code(Op::kGatherElements, {x, indices}), kInvalid);
    EXPECT_EQ(code(Op::kScatterElements, {x, indices, updates}), kInvalid);
  }
  EXPECT_EQ(refusal(Op::kGatherElements, {x, list({0})}), "indices [1] do not fit input [2, 3]");
  EXPECT_EQ(code(Op::kGatherElements, {x, blank({1, 4}, ElementType::kInt64)}), kInvalid);
  EXPECT_EQ(code(Op::kGatherElements, {x, updates}), kInvalid);
  EXPECT_EQ(code(Op::kGatherElements, {x, longs({1, 2}, {0, 0})}, integer("axis", -3)), kInvalid);
  EXPECT_EQ(code(Op::kGatherElements, {blank({}), longs({}, {0})}), kInvalid);
  EXPECT_EQ(first(Op::kGatherElements, {blank({0, kHuge, kHuge}), blank({0, 1, 2}, ElementType::kInt64)}),
            blank({0, 1, 2}));
  Tensor indices = longs({1, 2}, {0, 1});
  EXPECT_EQ(refusal(Op::kScatterElements, {x, indices, blank({2, 2})}),
            "updates are float32[2, 2]; float32[1, 2] is needed");
  EXPECT_EQ(refusal(Op::kScatterElements, {x, indices, blank({1, 2}, ElementType::kInt32)}),
            "updates are int32[1, 2]; float32[1, 2] is needed");
  EXPECT_EQ(refusal(Op::kScatterElements, {x, indices, updates}, {{"reduction", std::string("mean")}}),
            "attribute reduction is 'mean'; none, add, mul, max or min is needed");
}

TEST(SelectionRefusals, SlicesByIndices) {
  Tensor x = blank({2, 3});
  EXPECT_EQ(refusal(Op::kGatherND, {x, longs({1, 3}, {0, 0, 0})}), "indices [1, 3] do not fit input [2, 3]");
  EXPECT_EQ(refusal(Op::kGatherND, {x, longs({1, 1}, {2})}), "index 2 is outside of an axis of 2 elements");
  EXPECT_EQ(code(Op::kGatherND, {x, longs({}, {0})}), kInvalid);
  EXPECT_EQ(code(Op::kGatherND, {x, longs({1, 1}, {kLowest})}), kInvalid);
  for (std::int64_t batch : {kLowest, std::int64_t{-1}, std::int64_t{1}, kMost}) {
    EXPECT_EQ(code(Op::kGatherND, {x, longs({1, 1}, {0})}, integer("batch_dims", batch)), kInvalid);
  }
  // No elements need not mean few slices.
  EXPECT_EQ(code(Op::kGatherND, {x, blank({kHuge, 0}, ElementType::kInt64)}), kInvalid);
  EXPECT_EQ(code(Op::kScatterND, {x, blank({kHuge, 0}, ElementType::kInt64), x}), kInvalid);
  EXPECT_EQ(first(Op::kGatherND, {blank({0, kHuge, kHuge}), blank({0, 1}, ElementType::kInt64)}).size(), 0);
  Tensor indices = longs({1, 1}, {1});
  EXPECT_EQ(refusal(Op::kScatterND, {x, indices, blank({3})}),
            "updates are float32[3]; float32[1, 3] is needed");
  EXPECT_EQ(code(Op::kScatterND, {x, longs({1, 1}, {-3}), blank({1, 3})}), kInvalid);
  EXPECT_EQ(code(Op::kScatterND, {x, longs({}, {0}), blank({3})}), kInvalid);
}

TEST(SelectionRefusals, ScatteredIntegersWrapAround) {
  Tensor x = longs({2}, {kMost, 2});
  Tensor indices = longs({2}, {0, 1});
  Tensor updates = longs({2}, {1, kHuge});
  EXPECT_EQ(first(Op::kScatterElements, {x, indices, updates}, {{"reduction", std::string("add")}}),
            longs({2}, {kLowest, kHuge + 2}));
  EXPECT_EQ(first(Op::kScatterElements, {x, indices, updates}, {{"reduction", std::string("mul")}}),
            longs({2}, {kMost, kLowest}));
}

TEST(SelectionRefusals, Compress) {
  Tensor x = blank({2, 3});
  EXPECT_EQ(refusal(Op::kCompress, {x, bools({3}, {1, 1, 1})}, integer("axis", 0)),
            "its condition must be a list of at most 2 bools");
  EXPECT_EQ(code(Op::kCompress, {x, list({1})}), kInvalid);
  EXPECT_EQ(code(Op::kCompress, {x, bools({1, 1}, {1})}), kInvalid);
  EXPECT_EQ(code(Op::kCompress, {x, bools({1}, {1})}, integer("axis", kMost)), kInvalid);
  EXPECT_EQ(first(Op::kCompress, {blank({0, 2}), bools({0}, {})}), blank({0}));
}

TEST(ResizeRefusals, Extents) {
  Tensor x = blank({1, 2, 2});
  auto by_scales = [&](std::vector<float> scales) {
    Tensor tensor = floats({static_cast<std::int64_t>(scales.size())}, scales);
    return code(Op::kResize, {x, std::nullopt, tensor});
  };
  for (float scale : {0.0F, -1.0F, NAN, INFINITY, -INFINITY, 1e30F, 0x1p31F}) {
    EXPECT_EQ(refusal(Op::kResize, {x, std::nullopt, floats({3}, {1, 1, scale})}),
              "its scales do not fit input [1, 2, 2]");
  }
  EXPECT_EQ(by_scales({1, 1}), kInvalid);
  EXPECT_EQ(by_scales({1, 0x1p29F, 0x1p29F}), StatusCode::kResourceExhausted);
  EXPECT_EQ(by_scales({0x1p30F, 0x1p30F, 0x1p30F}), kInvalid);  // 2^92 elements
  EXPECT_EQ(by_scales({1, 1, 1e-30F}), StatusCode::kOk);        // none
  EXPECT_EQ(code(Op::kResize, {x, std::nullopt, longs({3}, {1, 1, 1})}), kInvalid);
  auto by_sizes = [&](Ints sizes, Attributes attributes = {}) {
    return code(Op::kResize, {x, std::nullopt, std::nullopt, list(sizes)}, attributes);
  };
  EXPECT_EQ(by_sizes({1, 2}), kInvalid);
  EXPECT_EQ(by_sizes({1, 2, -1}), kInvalid);
  EXPECT_EQ(by_sizes({1, 2, kMost}), kInvalid);
  EXPECT_EQ(by_sizes({1, 2, std::int64_t{1} << 40}), StatusCode::kResourceExhausted);
  Attributes smaller{{"keep_aspect_ratio_policy", std::string("not_smaller")}};
  EXPECT_EQ(by_sizes({1, 2, kMost}, smaller), kInvalid);
  EXPECT_EQ(by_sizes({1, 2, 2}, {{"keep_aspect_ratio_policy", std::string("crop")}}), kInvalid);
  EXPECT_EQ(by_sizes({1, 2, 2}, {{"axes", Ints{0, 1, 3}}}), kInvalid);
  EXPECT_EQ(refusal(Op::kResize, {x}), "it needs either scales or sizes");
  EXPECT_EQ(code(Op::kResize, {x, std::nullopt, floats({3}, {1, 1, 1}), list({1, 2, 2})}), kInvalid);
  EXPECT_EQ(code(Op::kResize, {blank({1, 0}), std::nullopt, std::nullopt, list({1, 2})}), kInvalid);
  EXPECT_EQ(first(Op::kResize, {blank({1, 0}), std::nullopt, floats({2}, {2, 2})}), blank({2, 0}));
}

TEST(ResizeRefusals, Modes) {
  Tensor x = blank({1, 2});
  auto with = [&](const std::string& name, const std::string& value) {
    return refusal(Op::kResize, {x, std::nullopt, floats({2}, {1, 2})}, {{name, value}});
  };
  EXPECT_EQ(with("mode", "bilinear"), "attribute mode is 'bilinear', which Resize does not have");
  EXPECT_NE(with("coordinate_transformation_mode", "corners"), "");
  EXPECT_NE(with("nearest_mode", "even"), "");
  EXPECT_EQ(code(Op::kResize, {blank({1, 2}, ElementType::kInt32), std::nullopt, floats({2}, {1, 2})},
                 {{"mode", std::string("linear")}}),
            StatusCode::kUnsupported);
}

TEST(ResizeRefusals, RegionsOfInterest) {
  Tensor x = blank({1, 2});
  for (const std::string mode : {"nearest", "linear", "cubic"}) {
    Attributes crop{{"coordinate_transformation_mode", std::string("tf_crop_and_resize")}, {"mode", mode}};
    auto cropped = [&](const Tensor& roi) { return code(Op::kResize, {x, roi, floats({2}, {1, 4})}, crop); };
    EXPECT_EQ(cropped(floats({2}, {0, 1})), kInvalid);
    EXPECT_EQ(cropped(longs({4}, {0, 0, 1, 1})), kInvalid);
    for (float corner : {NAN, INFINITY, -INFINITY, 1e30F, -1e30F}) {
      EXPECT_EQ(cropped(floats({4}, {0, 0, 1, corner})), kInvalid) << mode << corner;
    }
    EXPECT_EQ(cropped(floats({4}, {0, 0.9F, 1, 0.1F})), StatusCode::kOk);
    EXPECT_EQ(code(Op::kResize, {x, std::nullopt, floats({2}, {1, 4})}, crop), kInvalid);
  }
}

TEST(ResizeRefusals, ManyElementsUnderOneKernel) {
  // Antialiasing over the whole of a long axis is no more work than reading it.
  Tensor x = blank({1, 1 << 16});
  Attributes antialiased{{"mode", std::string("cubic")}, {"antialias", std::int64_t{1}}};
  EXPECT_EQ(first(Op::kResize, {x, std::nullopt, std::nullopt, list({1, 2})}, antialiased), blank({1, 2}));
}

TEST(SelectionRefusals, MaxUnpool) {
  Tensor x = blank({1, 1, 2});
  auto unpooled = [&](const Tensor& indices, Attributes attributes, std::optional<Tensor> shape = {}) {
    return code(Op::kMaxUnpool, {x, indices, std::move(shape)}, attributes);
  };
  Tensor indices = longs({1, 1, 2}, {0, 3});
  Attributes two{{"kernel_shape", Ints{2}}, {"strides", Ints{2}}};
  EXPECT_EQ(unpooled(indices, two), StatusCode::kOk);
  EXPECT_EQ(unpooled(indices, {}), kInvalid);
  EXPECT_EQ(unpooled(indices, {{"kernel_shape", Ints{2, 2}}}), kInvalid);
  EXPECT_EQ(unpooled(longs({1, 1, 2}, {0, 4}), two), kInvalid);
  EXPECT_EQ(unpooled(longs({1, 1, 2}, {0, -1}), two), kInvalid);
  EXPECT_EQ(unpooled(longs({2}, {0, 3}), two), kInvalid);
  EXPECT_EQ(unpooled(tensor<std::int32_t>({1, 1, 2}, {0, 3}), two), kInvalid);
  EXPECT_EQ(unpooled(indices, two, list({1, 1, 3})), kInvalid);
  EXPECT_EQ(unpooled(indices, two, list({1, 4})), kInvalid);
  EXPECT_EQ(unpooled(indices, two, list({1, 1, std::int64_t{1} << 40})), StatusCode::kResourceExhausted);
  EXPECT_EQ(unpooled(indices, two, list({kHuge, 4, 4})), kInvalid);
  EXPECT_EQ(unpooled(indices, {{"kernel_shape", Ints{kHuge}}}), kInvalid);
  EXPECT_EQ(unpooled(indices, {{"kernel_shape", Ints{2}}, {"pads", Ints{3, 3}}}), kInvalid);
  EXPECT_EQ(unpooled(indices, {{"kernel_shape", Ints{1}}, {"strides", Ints{(1LL << 31) - 1}}}),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(first(Op::kMaxUnpool, {blank({0, 1, 2}), blank({0, 1, 2}, ElementType::kInt64)}, two),
            blank({0, 1, 4}));
}

}  // namespace
}  // namespace zeropoint::operators
