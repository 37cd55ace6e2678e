// The operators of com.microsoft on quantized tensors, against their formulas in double precision.

#include <cmath>
#include <limits>
#include <random>

#include "operators/call_for_tests.h"
#include "operators/wide.h"

namespace zeropoint::operators {
namespace {

using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;

/// A quantized tensor as three inputs: elements, scale, zero point.
struct Quantized {
  Tensor elements;
  float scale;
  std::int64_t zero_point;

  [[nodiscard]] Tensor scale_input() const { return floats({}, {scale}); }
  [[nodiscard]] Tensor zero_input() const {
    Tensor zero(elements.type(), {});
    store_wide(&zero_point, 1, zero, 0);
    return zero;
  }
  [[nodiscard]] double real(std::int64_t i) const {
    std::int64_t q = 0;
    load_wide(elements, i, 1, &q);
    return static_cast<double>(scale) * static_cast<double>(q - zero_point);
  }
  void append_to(Inputs& inputs) const {
    inputs.emplace_back(elements);
    inputs.emplace_back(scale_input());
    inputs.emplace_back(zero_input());
  }
};

class QLinear : public ::testing::TestWithParam<ElementType> {
 protected:
  Quantized random(Shape shape, float scale, std::int64_t zero_point) {
    Quantized q{{GetParam(), std::move(shape)}, scale, zero_point};
    for (std::int64_t i = 0; i < q.elements.size(); ++i) {
      std::int64_t value = std::uniform_int_distribution<std::int64_t>(lowest(), lowest() + 255)(generator_);
      store_wide(&value, 1, q.elements, i);
    }
    return q;
  }
  /// What the elements are counted from: -128 or 0.
  [[nodiscard]] static std::int64_t lowest() { return GetParam() == ElementType::kInt8 ? -128 : 0; }

  /// y must be the reals quantized, but for those that lie on a tie between two steps to within float32.
  static void expect_quantized(const Tensor& y, const Reals& reals, float scale, std::int64_t zero_point) {
    ASSERT_EQ(y.type(), GetParam());
    ASSERT_EQ(static_cast<std::size_t>(y.size()), reals.size());
    std::size_t inside = 0;
    for (std::size_t i = 0; i < reals.size(); ++i) {
      double steps = reals[i] / static_cast<double>(scale) + static_cast<double>(zero_point);
      std::int64_t q = 0;
      load_wide(y, static_cast<std::int64_t>(i), 1, &q);
      double exact = std::clamp(steps, static_cast<double>(lowest()), static_cast<double>(lowest() + 255));
      EXPECT_NEAR(static_cast<double>(q), exact, 0.5 + 1e-4) << "element " << i;
      inside += exact == steps ? 1 : 0;
    }
    EXPECT_GT(inside, reals.size() / 4) << "too few elements are in range to show anything";
  }

  std::mt19937 generator_{11};
};

TEST_P(QLinear, SumsAndProducts) {
  Quantized a = random({3, 1, 16}, 0.03F, lowest() + 120);
  Quantized b = random({5, 16}, 0.05F, lowest() + 7);
  for (Op op : {Op::kQLinearAdd, Op::kQLinearMul}) {
    SCOPED_TRACE(name_of(op));
    float scale = op == Op::kQLinearAdd ? 0.07F : 0.31F;
    Inputs inputs;
    a.append_to(inputs);
    b.append_to(inputs);
    inputs.emplace_back(floats({}, {scale}));
    inputs.emplace_back(Quantized{Tensor(GetParam(), {}), 1, lowest() + 60}.zero_input());
    Reals reals;
    for (std::int64_t i = 0; i < 3 * 5 * 16; ++i) {
      double left = a.real(i / 80 * 16 + i % 16);
      double right = b.real(i % 80);
      reals.push_back(op == Op::kQLinearAdd ? left + right : left * right);
    }
    Tensor y = first(op, inputs);
    EXPECT_EQ(y.shape(), (Shape{3, 5, 16}));
    expect_quantized(y, reals, scale, lowest() + 60);
  }
}

TEST_P(QLinear, FunctionsOfOneElement) {
  Quantized x{Tensor(GetParam(), {256}), 0.04F, lowest() + 100};
  for (std::int64_t i = 0; i < 256; ++i) {
    std::int64_t value = lowest() + i;
    store_wide(&value, 1, x.elements, i);
  }
  Inputs inputs;
  x.append_to(inputs);
  Quantized y{Tensor(GetParam(), {}), 1.0F / 256, lowest()};
  inputs.emplace_back(y.scale_input());
  inputs.emplace_back(y.zero_input());
  Reals sigmoids;
  Reals leaky;
  for (std::int64_t i = 0; i < 256; ++i) {
    sigmoids.push_back(1 / (1 + std::exp(-x.real(i))));
    leaky.push_back(x.real(i) < 0 ? 0.25 * x.real(i) : x.real(i));
  }
  expect_quantized(first(Op::kQLinearSigmoid, inputs), sigmoids, 1.0F / 256, lowest());
  y = {Tensor(GetParam(), {}), 0.03F, lowest() + 50};
  inputs[3] = y.scale_input();
  inputs[4] = y.zero_input();
  expect_quantized(first(Op::kQLinearLeakyRelu, inputs, {{"alpha", 0.25F}}), leaky, 0.03F, lowest() + 50);
}

TEST_P(QLinear, SoftmaxesOfRowsAndOfAllThatFollows) {
  Quantized x = random({2, 3, 4}, 0.02F, lowest() + 30);
  Inputs inputs;
  x.append_to(inputs);
  Quantized y{Tensor(GetParam(), {}), 1.0F / 512, lowest()};
  inputs.emplace_back(y.scale_input());
  inputs.emplace_back(y.zero_input());
  // Elements of one row are `step` apart, `count` of them.
  auto softmax = [&](std::int64_t i, std::int64_t first, std::int64_t count, std::int64_t step) {
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      sum += std::exp(x.real(first + k * step));
    }
    return std::exp(x.real(i)) / sum;
  };
  Reals last;
  Reals middle;
  Reals flat;
  for (std::int64_t i = 0; i < 24; ++i) {
    last.push_back(softmax(i, i / 4 * 4, 4, 1));
    middle.push_back(softmax(i, i / 12 * 12 + i % 4, 3, 4));
    flat.push_back(softmax(i, i / 12 * 12, 12, 1));
  }
  Attributes at_middle{{"axis", std::int64_t{1}}, {"opset", std::int64_t{13}}};
  expect_quantized(first(Op::kQLinearSoftmax, inputs), last, y.scale, lowest());
  expect_quantized(first(Op::kQLinearSoftmax, inputs, at_middle), middle, y.scale, lowest());
  at_middle["opset"] = std::int64_t{12};
  expect_quantized(first(Op::kQLinearSoftmax, inputs, at_middle), flat, y.scale, lowest());
}

TEST_P(QLinear, AveragesOfWindowsAndPlanes) {
  Quantized x = random({2, 3, 5, 4}, 0.02F, lowest() + 30);
  Inputs inputs;
  x.append_to(inputs);
  Quantized y{Tensor(GetParam(), {}), 0.013F, lowest() + 90};
  inputs.emplace_back(y.scale_input());
  inputs.emplace_back(y.zero_input());
  // The window's sum and how many elements of the 5 x 4 plane it has.
  auto window = [&](std::int64_t plane, std::int64_t top, std::int64_t left, std::int64_t height,
                    std::int64_t width) {
    std::pair<double, int> sum{0, 0};
    for (std::int64_t r = std::max<std::int64_t>(top, 0); r < std::min<std::int64_t>(top + height, 5); ++r) {
      for (std::int64_t c = std::max<std::int64_t>(left, 0); c < std::min<std::int64_t>(left + width, 4);
           ++c) {
        sum.first += x.real(plane * 20 + r * 4 + c);
        ++sum.second;
      }
    }
    return sum;
  };
  Attributes attributes{{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 1}}};
  Reals inside;
  Reals with_padding;
  Reals whole;
  for (std::int64_t plane = 0; plane < 6; ++plane) {
    for (std::int64_t r = 0; r < 3; ++r) {
      for (std::int64_t c = 0; c < 4; ++c) {
        auto [sum, count] = window(plane, 2 * r - 1, c, 3, 2);
        inside.push_back(sum / count);
        with_padding.push_back(sum / 6);
      }
    }
    whole.push_back(window(plane, 0, 0, 5, 4).first / 20);
  }
  Tensor pooled = first(Op::kQLinearAveragePool, inputs, attributes);
  EXPECT_EQ(pooled.shape(), (Shape{2, 3, 3, 4}));
  expect_quantized(pooled, inside, y.scale, y.zero_point);
  attributes["count_include_pad"] = std::int64_t{1};
  expect_quantized(first(Op::kQLinearAveragePool, inputs, attributes), with_padding, y.scale, y.zero_point);
  pooled = first(Op::kQLinearGlobalAveragePool, inputs);
  EXPECT_EQ(pooled.shape(), (Shape{2, 3, 1, 1}));
  expect_quantized(pooled, whole, y.scale, y.zero_point);
  for (Op op : {Op::kQLinearAveragePool, Op::kQLinearGlobalAveragePool}) {
    attributes["channels_last"] = std::int64_t{1};
    EXPECT_EQ(refusal(op, inputs, attributes), "channels_last is set; only [N, C, ...] is computed here");
  }
}

TEST_P(QLinear, ConcatGivesAllOneScale) {
  Quantized a = random({2, 3}, 0.03F, lowest() + 120);
  Quantized b = random({2, 2}, 0.05F, lowest() + 7);
  Quantized y{Tensor(GetParam(), {}), 0.06F, lowest() + 80};
  Inputs inputs{y.scale_input(), y.zero_input()};
  a.append_to(inputs);
  b.append_to(inputs);
  Reals reals;
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t i = 0; i < 5; ++i) {
      reals.push_back(i < 3 ? a.real(row * 3 + i) : b.real(row * 2 + i - 3));
    }
  }
  Attributes columns{{"axis", std::int64_t{-1}}};
  expect_quantized(first(Op::kQLinearConcat, inputs, columns), reals, y.scale, y.zero_point);
  inputs.pop_back();
  EXPECT_EQ(refusal(Op::kQLinearConcat, inputs, columns),
            "it has 7 inputs; a scale and a zero point, and three per tensor, are needed");
}

INSTANTIATE_TEST_SUITE_P(Bytes, QLinear, ::testing::Values(ElementType::kUint8, ElementType::kInt8),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST(QLinearRefusals, ScalesAndZeroPoints) {
  Tensor byte(ElementType::kUint8, {});
  Tensor one_scale = floats({}, {1});
  Tensor x(ElementType::kUint8, {1, 2, 3});
  for (Op op :
       {Op::kQLinearSigmoid, Op::kQLinearLeakyRelu, Op::kQLinearSoftmax, Op::kQLinearGlobalAveragePool}) {
    SCOPED_TRACE(name_of(op));
    EXPECT_TRUE(call(op, {x, one_scale, byte, one_scale, byte}).ok());
    EXPECT_FALSE(call(op, {x, floats({2}, {1, 1}), byte, one_scale, byte}).ok());
    EXPECT_FALSE(call(op, {x, tensor<double>({}, {1}), byte, one_scale, byte}).ok());
    EXPECT_FALSE(call(op, {x, one_scale, Tensor(ElementType::kInt8, {}), one_scale, byte}).ok());
    EXPECT_FALSE(call(op, {x, one_scale, byte, one_scale, Tensor(ElementType::kFloat32, {})}).ok());
    EXPECT_FALSE(call(op, {Tensor(ElementType::kFloat32, {1, 2, 3}), one_scale, byte, one_scale, byte}).ok());
    EXPECT_FALSE(call(op, {x, std::nullopt, byte, one_scale, byte}).ok());
    EXPECT_TRUE(call(op, {Tensor(ElementType::kUint8, {0, 2, 3}), one_scale, byte, one_scale, byte}).ok());
    for (float scale : {0.0F, -1.0F, NAN, INFINITY}) {
      EXPECT_FALSE(call(op, {x, one_scale, byte, floats({}, {scale}), byte}).ok()) << scale;
      EXPECT_FALSE(call(op, {x, floats({}, {scale}), byte, one_scale, byte}).ok()) << scale;
    }
  }
  EXPECT_FALSE(call(Op::kQLinearAdd,
                    {x, one_scale, byte, Tensor(ElementType::kUint8, {2}), one_scale, byte, one_scale, byte})
                   .ok());
  EXPECT_FALSE(call(Op::kQLinearGlobalAveragePool,
                    {Tensor(ElementType::kUint8, {1, 2, 0}), one_scale, byte, one_scale, byte})
                   .ok());
  EXPECT_FALSE(call(Op::kQLinearSoftmax, {x, one_scale, byte, one_scale, byte},
                    {{"axis", std::int64_t{9}}, {"opset", std::int64_t{11}}})
                   .ok());
}

}  // namespace
}  // namespace zeropoint::operators
