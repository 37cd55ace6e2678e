// What convolutions, pools and products of matrices say to inputs that no sound model has.

#include <cmath>
#include <limits>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kHuge = std::int64_t{1} << 62;
constexpr std::int64_t kLong = (std::int64_t{1} << 31) - 1;  // the most a window may have
constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr StatusCode kTooLarge = StatusCode::kResourceExhausted;

Attributes ints(const std::string& name, Ints values) { return {{name, std::move(values)}}; }
Tensor blank(Shape shape, ElementType type = ElementType::kFloat32) { return {type, std::move(shape)}; }

StatusCode code(Op op, const Inputs& inputs, const Attributes& attributes = {}) {
  return call(op, inputs, attributes).status().code();
}

/// Attributes that no window has.
std::vector<Attributes> unsound_windows() {
  std::vector<Attributes> all;
  for (const char* name : {"strides", "dilations"}) {
    for (const Ints& values : {Ints{0}, Ints{-1}, Ints{1, 1}, Ints{kLong + 1}, Ints{kMost}}) {
      all.push_back(ints(name, values));
    }
  }
  for (const Ints& pads : {Ints{1}, Ints{-1, 0}, Ints{0, 0, 0}, Ints{kMost, kMost}}) {
    all.push_back(ints("pads", pads));
  }
  all.push_back({{"auto_pad", std::string("SAME")}});
  return all;
}

TEST(WindowRefusals, Convolutions) {
  Tensor x = blank({1, 2, 4});
  Tensor w = blank({3, 2, 3});
  Tensor qx = blank({1, 2, 4}, ElementType::kUint8);
  Tensor qw = blank({3, 2, 3}, ElementType::kInt8);
  EXPECT_EQ(refusal(Op::kConv, {x, blank({3, 1, 3})}),
            "weights [3, 1, 3] in 1 group(s) do not fit input [1, 2, 4]");
  for (const Shape& shape :
       {Shape{3, 2}, Shape{3, 2, 3, 3}, Shape{3, 3, 3}, Shape{3, 2, 0}, Shape{3, 2, 5}}) {
    EXPECT_EQ(code(Op::kConv, {x, blank(shape)}), kInvalid) << to_string(shape);
    EXPECT_EQ(code(Op::kConvInteger, {qx, blank(shape, ElementType::kInt8)}), kInvalid) << to_string(shape);
  }
  for (std::int64_t group : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{2}, kMost}) {
    EXPECT_EQ(code(Op::kConv, {x, w}, {{"group", group}}), kInvalid) << group;
    EXPECT_EQ(code(Op::kConvInteger, {qx, qw}, {{"group", group}}), kInvalid) << group;
  }
  for (const Attributes& attributes : unsound_windows()) {
    EXPECT_EQ(code(Op::kConv, {x, w}, attributes), kInvalid);
    EXPECT_EQ(code(Op::kConvInteger, {qx, qw}, attributes), kInvalid);
  }
  EXPECT_EQ(code(Op::kConv, {x, w}, ints("kernel_shape", {2})), kInvalid);
  EXPECT_EQ(code(Op::kConv, {x, w, blank({2})}), kInvalid);
  EXPECT_FALSE(call(Op::kConv, {x, blank({3, 2, 3}, ElementType::kFloat64)}).ok());
  EXPECT_EQ(code(Op::kConv, {blank({1, 2}), w}), kInvalid);
  EXPECT_EQ(code(Op::kConv, {x, w}, ints("pads", {kLong, kLong})), kTooLarge);
  EXPECT_EQ(code(Op::kConvInteger, {qx, qw}, ints("pads", {kLong, kLong})), kTooLarge);
  EXPECT_EQ(code(Op::kConv, {x, w}, ints("dilations", {kLong})), kInvalid);
  EXPECT_EQ(first(Op::kConv, {blank({0, 2, 4}), w}), blank({0, 3, 2}));
  EXPECT_EQ(first(Op::kConv, {blank({1, 0, 4}), blank({1, 0, 3}), floats({1}, {7})}),
            floats({1, 1, 2}, {7, 7}));
  EXPECT_EQ(code(Op::kConvInteger, {x, w}), StatusCode::kUnsupported);
  EXPECT_EQ(code(Op::kConvInteger, {qx, qw, blank({3}, ElementType::kUint8)}), kInvalid);
  EXPECT_EQ(code(Op::kConvInteger, {qx, qw, std::nullopt, blank({2}, ElementType::kInt8)}), kInvalid);
  EXPECT_EQ(code(Op::kConvInteger, {qx, qw, blank({}, ElementType::kInt8)}), kInvalid);
}

TEST(WindowRefusals, QLinearConv) {
  Tensor byte = blank({}, ElementType::kUint8);
  Tensor one = floats({}, {1});
  Inputs sound{blank({1, 2, 4}, ElementType::kUint8),
               one,
               byte,
               blank({3, 2, 3}, ElementType::kUint8),
               one,
               byte,
               one,
               byte,
               blank({3}, ElementType::kInt32)};
  EXPECT_EQ(code(Op::kQLinearConv, sound), StatusCode::kOk);
  auto with = [&](std::size_t i, std::optional<Tensor> input) {
    Inputs inputs = sound;
    inputs[i] = std::move(input);
    return code(Op::kQLinearConv, inputs);
  };
  for (std::size_t scale : {1, 4, 6}) {
    for (float value : {0.0F, -1.0F, NAN, INFINITY, 1e-45F}) {
      EXPECT_EQ(with(scale, floats({}, {value})), kInvalid) << scale << " " << value;
    }
    EXPECT_EQ(with(scale, floats({2}, {1, 1})), kInvalid);
    EXPECT_EQ(with(scale, tensor<double>({}, {1})), kInvalid);
    EXPECT_EQ(with(scale, std::nullopt), kInvalid);
  }
  EXPECT_EQ(with(0, blank({1, 2, 4})), StatusCode::kUnsupported);
  EXPECT_EQ(with(2, blank({}, ElementType::kInt8)), kInvalid);
  EXPECT_EQ(with(5, blank({2}, ElementType::kUint8)), kInvalid);
  EXPECT_EQ(with(7, blank({})), kInvalid);
  EXPECT_EQ(with(7, blank({2}, ElementType::kUint8)), kInvalid);
  EXPECT_EQ(with(7, longs({}, {0})), kInvalid);
  EXPECT_EQ(with(8, blank({2}, ElementType::kInt32)), kInvalid);
  EXPECT_EQ(with(8, blank({3})), kInvalid);
}

TEST(WindowRefusals, ConvTranspose) {
  Tensor x = blank({1, 2, 4});
  Tensor w = blank({2, 3, 3});
  EXPECT_EQ(refusal(Op::kConvTranspose, {x, blank({3, 2, 3})}),
            "weights [3, 2, 3] in 1 group(s) do not fit input [1, 2, 4]");
  for (std::int64_t group : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, kMost}) {
    EXPECT_EQ(code(Op::kConvTranspose, {x, w}, {{"group", group}}), kInvalid);
  }
  for (const Attributes& attributes : unsound_windows()) {
    EXPECT_EQ(code(Op::kConvTranspose, {x, w}, attributes), kInvalid);
  }
  for (const Ints& shape : {Ints{0}, Ints{-1}, Ints{kMost}}) {
    EXPECT_EQ(code(Op::kConvTranspose, {x, w}, ints("output_shape", shape)), kInvalid);
  }
  EXPECT_EQ(code(Op::kConvTranspose, {x, w}, ints("output_shape", {kLong})), kTooLarge);
  EXPECT_EQ(code(Op::kConvTranspose, {x, w}, ints("output_padding", {-1})), kInvalid);
  EXPECT_EQ(code(Op::kConvTranspose, {x, w}, ints("output_padding", {kLong})), kTooLarge);
  EXPECT_EQ(code(Op::kConvTranspose, {x, w}, {{"strides", Ints{kLong}}, {"dilations", Ints{kLong}}}),
            kTooLarge);
  EXPECT_EQ(code(Op::kConvTranspose, {x, w}, ints("pads", {3, 3})), kInvalid);
  EXPECT_EQ(code(Op::kConvTranspose, {x, w, blank({2})}), kInvalid);
  EXPECT_EQ(code(Op::kConvTranspose, {blank({1, 2}), w}), kInvalid);
  EXPECT_EQ(first(Op::kConvTranspose, {blank({0, 2, 4}), w}), blank({0, 3, 6}));
  // Of nothing only the bias is left.
  EXPECT_EQ(first(Op::kConvTranspose, {blank({1, 0, 1}), blank({0, 1, 2}), floats({1}, {7})}),
            floats({1, 1, 2}, {7, 7}));
}

TEST(WindowRefusals, Pools) {
  Tensor x = blank({1, 2, 4});
  for (Op op : {Op::kAveragePool, Op::kMaxPool, Op::kLpPool}) {
    SCOPED_TRACE(name_of(op));
    EXPECT_EQ(code(op, {x}), kInvalid);  // no kernel
    for (const Ints& kernel : {Ints{0}, Ints{-1}, Ints{2, 2}, Ints{5}, Ints{kMost}}) {
      EXPECT_EQ(code(op, {x}, ints("kernel_shape", kernel)), kInvalid) << to_string(kernel);
    }
    for (Attributes attributes : unsound_windows()) {
      attributes["kernel_shape"] = Ints{2};
      EXPECT_EQ(code(op, {x}, attributes), kInvalid);
    }
    EXPECT_EQ(code(op, {blank({1, 2})}, ints("kernel_shape", {2})), kInvalid);
    // A window over nothing but padding has no largest element and no mean.
    EXPECT_EQ(refusal(op, {x}, {{"kernel_shape", Ints{2}}, {"pads", Ints{2, 0}}}),
              "pads [2] and [0] leave windows that lie on padding alone");
    EXPECT_EQ(code(op, {x}, {{"kernel_shape", Ints{2}}, {"pads", Ints{0, kLong}}}), kInvalid);
    EXPECT_EQ(first(op, {blank({0, 2, 4})}, ints("kernel_shape", {2})), blank({0, 2, 3}));
    EXPECT_EQ(code(op, {blank({1, 2, 0})}, {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}}), kInvalid);
    EXPECT_EQ(code(op, {blank({1, 2, 4}, ElementType::kBool)}, ints("kernel_shape", {2})),
              StatusCode::kUnsupported);
  }
  for (Op op : {Op::kGlobalAveragePool, Op::kGlobalMaxPool, Op::kGlobalLpPool}) {
    SCOPED_TRACE(name_of(op));
    EXPECT_EQ(code(op, {blank({3})}), kInvalid);
    EXPECT_EQ(code(op, {blank({1, 2, 0})}), kInvalid);
    EXPECT_EQ(first(op, {blank({0, 2, 3})}), blank({0, 2, 1}));
  }
  EXPECT_EQ(code(Op::kLpPool, {x}, {{"kernel_shape", Ints{2}}, {"p", std::int64_t{0}}}), kInvalid);
}

TEST(WindowRefusals, Products) {
  Tensor x = blank({2, 3});
  EXPECT_EQ(refusal(Op::kMatMul, {x, x}), "matrices [2, 3] and [2, 3] cannot be multiplied");
  for (const Shape& shape : {Shape{}, Shape{2}, Shape{3, 0, 2}}) {
    EXPECT_EQ(code(Op::kMatMul, {x, blank(shape)}), kInvalid) << to_string(shape);
  }
  EXPECT_EQ(code(Op::kMatMul, {blank({2, 2, 3}), blank({3, 3, 1})}), kInvalid);
  EXPECT_FALSE(call(Op::kMatMul, {x, blank({3, 2}, ElementType::kInt32)}).ok());
  EXPECT_EQ(first(Op::kMatMul, {blank({2, 0}), blank({0, 3})}), blank({2, 3}));
  EXPECT_EQ(first(Op::kMatMul, {blank({0, 3}), blank({3, 2})}), blank({0, 2}));
  EXPECT_EQ(code(Op::kMatMul, {blank({kHuge, 0}), blank({0, 4})}), kInvalid);
  EXPECT_EQ(code(Op::kMatMul, {blank({kHuge / 2, 0}), blank({0, 1})}), kTooLarge);
  // Batches that are large only together.
  Tensor row = blank({1 << 18, 1, 1, 1}, ElementType::kInt8);
  Tensor column = blank({1, 1 << 18, 1, 1}, ElementType::kInt8);
  EXPECT_EQ(code(Op::kMatMul, {row, column}), kTooLarge);
  EXPECT_EQ(code(Op::kMatMulInteger, {row, column}), kTooLarge);
  EXPECT_EQ(code(Op::kMatMul, {blank({kHuge / 4, 1, 0}), blank({0, 1})}), kTooLarge);
  Tensor lowest = tensor<std::int32_t>({1, 2}, {1 << 30, 1 << 30});
  EXPECT_EQ(first(Op::kMatMul, {lowest, tensor<std::int32_t>({2, 1}, {2, 2})}),
            tensor<std::int32_t>({1, 1}, {0}));
}

TEST(WindowRefusals, IntegersTimesFractions) {
  Tensor x = tensor<std::int32_t>({1, 1}, {3});
  EXPECT_EQ(first(Op::kGemm, {x, x, x}, {{"alpha", 2.0F}, {"beta", -1.0F}}),
            tensor<std::int32_t>({1, 1}, {15}));
  for (float alpha : {0.5F, 1e30F, NAN, INFINITY}) {
    EXPECT_EQ(code(Op::kGemm, {x, x}, {{"alpha", alpha}}), StatusCode::kUnsupported);
  }
  // Products wrap, as sums do.
  Tensor unsigned_x = tensor<std::uint8_t>({1, 1}, {3});
  EXPECT_EQ(first(Op::kGemm, {unsigned_x, unsigned_x}, {{"alpha", -1.0F}}),
            tensor<std::uint8_t>({1, 1}, {256 - 9}));
}

}  // namespace
}  // namespace zeropoint::operators
