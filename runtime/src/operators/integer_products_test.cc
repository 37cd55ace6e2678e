// Products of quantized matrices (QLinearMatMul, MatMulInteger, MatMulIntegerToFloat, DynamicQuantizeMatMul,
// QGemm) and of packed weights (MatMulNBits), against their formulas in double precision.

#include <cmath>
#include <random>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

std::mt19937& generator() {
  static std::mt19937 random(23);
  return random;
}

template <typename T>
Tensor random_bytes(Shape shape) {
  Tensor x(kElementTypeOf<T>, std::move(shape));
  for (T& element : x.data<T>()) {
    element = static_cast<T>(std::uniform_int_distribution<int>(0, 255)(generator()));
  }
  return x;
}

Tensor random_reals(Shape shape, float least, float most) {
  Tensor x(ElementType::kFloat32, std::move(shape));
  for (float& element : x.data<float>()) {
    element = std::uniform_real_distribution<float>(least, most)(generator());
  }
  return x;
}

/// [rows, columns] from function(row, column).
template <typename Function>
std::vector<double> matrix(std::int64_t rows, std::int64_t columns, Function&& function) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    result.push_back(function(static_cast<std::size_t>(i / columns), static_cast<std::size_t>(i % columns)));
  }
  return result;
}

void expect_reals(const Tensor& y, const std::vector<double>& reals, double relative = 1e-5) {
  ASSERT_EQ(y.type(), ElementType::kFloat32);
  ASSERT_EQ(static_cast<std::size_t>(y.size()), reals.size());
  double largest = 1e-30;
  for (double real : reals) {
    largest = std::max(largest, std::abs(real));
  }
  for (std::size_t i = 0; i < reals.size(); ++i) {
    EXPECT_NEAR(y.data<float>()[i], reals[i], relative * largest) << "element " << i;
  }
}

constexpr std::int64_t kRows = 4;
constexpr std::int64_t kInner = 37;
constexpr std::int64_t kColumns = 5;

/// uint8 rows times int8 columns, with a scale and a zero point per column.
struct Operands {
  Tensor a = random_bytes<std::uint8_t>({kRows, kInner});
  Tensor b = random_bytes<std::int8_t>({kInner, kColumns});
  Tensor a_scale = floats({}, {0.02F});
  Tensor b_scale = random_reals({kColumns}, 0.01F, 0.05F);
  Tensor a_zero = tensor<std::uint8_t>({}, {131});
  Tensor b_zero = tensor<std::int8_t>({kColumns}, {0, -3, 7, 100, -128});

  [[nodiscard]] std::int64_t accumulator(std::size_t i, std::size_t j) const {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < kInner; ++k) {
      sum += (a.data<std::uint8_t>()[i * kInner + k] - 131) *
             (b.data<std::int8_t>()[k * kColumns + j] - b_zero.data<std::int8_t>()[j]);
    }
    return sum;
  }
  [[nodiscard]] double real(std::size_t i, std::size_t j) const {
    return static_cast<double>(accumulator(i, j)) * static_cast<double>(a_scale.data<float>()[0]) *
           static_cast<double>(b_scale.data<float>()[j]);
  }
};

TEST(IntegerProducts, AccumulatorsAreExact) {
  Operands x;
  Tensor y = first(Op::kMatMulInteger, {x.a, x.b, x.a_zero, x.b_zero});
  std::vector<std::int32_t> expected;
  for (double sum :
       matrix(kRows, kColumns, [&](auto i, auto j) { return static_cast<double>(x.accumulator(i, j)); })) {
    expected.push_back(static_cast<std::int32_t>(sum));
  }
  EXPECT_EQ(y, tensor<std::int32_t>({kRows, kColumns}, expected));
}

TEST(IntegerProducts, ToFloat) {
  Operands x;
  Tensor bias = random_reals({kColumns}, -20, 20);
  Tensor y = first(Op::kMatMulIntegerToFloat, {x.a, x.b, x.a_scale, x.b_scale, x.a_zero, x.b_zero, bias});
  EXPECT_EQ(y.shape(), (Shape{kRows, kColumns}));
  expect_reals(y, matrix(kRows, kColumns, [&](auto i, auto j) {
                 return x.real(i, j) + static_cast<double>(bias.data<float>()[j]);
               }));
  y = first(Op::kMatMulIntegerToFloat, {x.a, x.b, x.a_scale, x.b_scale, x.a_zero, x.b_zero});
  expect_reals(y, matrix(kRows, kColumns, [&](auto i, auto j) { return x.real(i, j); }));
}

TEST(IntegerProducts, OfRealsQuantizedOnTheWay) {
  Operands x;
  Tensor a = random_reals({kRows, kInner}, -1, 3);
  Tensor y = first(Op::kDynamicQuantizeMatMul, {a, x.b, x.b_scale, x.b_zero});
  // Each of the 37 factors is off by half a step of 4 / 255 at most.
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      double real = 0;
      double bound = 1e-4;
      for (std::size_t k = 0; k < kInner; ++k) {
        double weight = static_cast<double>(x.b_scale.data<float>()[j]) *
                        (x.b.data<std::int8_t>()[k * kColumns + j] - x.b_zero.data<std::int8_t>()[j]);
        real += static_cast<double>(a.data<float>()[i * kInner + k]) * weight;
        bound += std::abs(weight) * 2.001 / 255;
      }
      EXPECT_NEAR(y.data<float>()[i * kColumns + j], real, bound);
    }
  }
}

TEST(IntegerProducts, QGemmInEveryOrientation) {
  Operands x;
  Tensor c = tensor<std::int32_t>({kColumns}, {1000, -2000, 3, 0, 70000});
  Tensor a_turned = first(Op::kTranspose, {x.a});
  Tensor b_turned = first(Op::kTranspose, {x.b});
  float alpha = 0.5F;
  std::vector<double> reals = matrix(kRows, kColumns, [&](std::size_t i, std::size_t j) {
    return static_cast<double>(x.accumulator(i, j) + c.data<std::int32_t>()[j]) * 0.5 *
           static_cast<double>(x.a_scale.data<float>()[0]) * static_cast<double>(x.b_scale.data<float>()[j]);
  });
  for (int turned = 0; turned < 4; ++turned) {
    Attributes attributes{
        {"alpha", alpha}, {"transA", std::int64_t{turned & 1}}, {"transB", std::int64_t{turned >> 1}}};
    Inputs inputs{(turned & 1) != 0 ? a_turned : x.a,
                  x.a_scale,
                  x.a_zero,
                  (turned & 2) != 0 ? b_turned : x.b,
                  x.b_scale,
                  x.b_zero,
                  c};
    expect_reals(first(Op::kQGemm, inputs, attributes), reals);
    inputs.emplace_back(floats({}, {0.9F}));
    inputs.emplace_back(tensor<std::uint8_t>({}, {128}));
    Tensor y = first(Op::kQGemm, inputs, attributes);
    ASSERT_EQ(y.type(), ElementType::kUint8);
    for (std::size_t i = 0; i < reals.size(); ++i) {
      double exact = std::clamp(reals[i] / static_cast<double>(0.9F) + 128, 0.0, 255.0);
      EXPECT_NEAR(y.data<std::uint8_t>()[i], exact, 0.5 + 1e-4) << "element " << i;
    }
  }
}

TEST(IntegerProducts, QLinearMatMul) {
  Operands x;
  Tensor y = first(Op::kQLinearMatMul, {x.a, x.a_scale, x.a_zero, x.b, x.b_scale, x.b_zero,
                                        floats({}, {0.9F}), tensor<std::uint8_t>({}, {128})});
  for (std::size_t i = 0; i < kRows * kColumns; ++i) {
    double exact =
        std::clamp(x.real(i / kColumns, i % kColumns) / static_cast<double>(0.9F) + 128, 0.0, 255.0);
    EXPECT_NEAR(y.data<std::uint8_t>()[i], exact, 0.5 + 1e-4) << "element " << i;
  }
}

TEST(IntegerProductRefusals, WhatDoesNotFit) {
  Operands x;
  Tensor zeros = tensor<std::int8_t>({3}, {0, 0, 0});
  EXPECT_FALSE(call(Op::kMatMulInteger, {x.a, x.a}).ok());
  EXPECT_FALSE(call(Op::kMatMulInteger, {x.a, x.b, x.a_zero, zeros}).ok());
  EXPECT_FALSE(call(Op::kMatMulInteger, {x.a, x.b, x.b_zero}).ok());
  EXPECT_FALSE(call(Op::kMatMulInteger, {random_reals({1, 2}, 0, 1), x.b}).ok());
  EXPECT_FALSE(call(Op::kMatMulIntegerToFloat, {x.a, x.b, x.b_scale, x.b_scale}).ok());
  EXPECT_FALSE(call(Op::kMatMulIntegerToFloat, {x.a, x.b, x.a_scale, floats({2}, {1, 1})}).ok());
  EXPECT_FALSE(call(Op::kMatMulIntegerToFloat,
                    {x.a, x.b, x.a_scale, x.b_scale, std::nullopt, std::nullopt, floats({2}, {1, 1})})
                   .ok());
  for (float value : {NAN, INFINITY}) {
    EXPECT_EQ(refusal(Op::kDynamicQuantizeMatMul,
                      {floats({1, 1}, {value}), random_bytes<std::uint8_t>({1, 1}), x.a_scale}),
              "its input is not finite, so that it has no range");
  }
  EXPECT_EQ(refusal(Op::kDynamicQuantizeLinear, {floats({2}, {-3e38F, 3e38F})}),
            "its input ranges over more than float32 holds");
  // Steps of a range so small that they would be 0.
  Result<std::vector<Tensor>> tiny =
      call(Op::kDynamicQuantizeLinear, {floats({2}, {-1e-45F, 1e-45F})}, {}, 3);
  ASSERT_TRUE(tiny.ok()) << tiny.status().message();
  EXPECT_EQ((*tiny)[0], tensor<std::uint8_t>({2}, {0, 0}));
  EXPECT_EQ((*tiny)[1], floats({}, {1}));
  EXPECT_EQ(first(Op::kDynamicQuantizeLinear, {floats({0}, {})}).size(), 0);
  Inputs sound{x.a, x.a_scale, x.a_zero, x.b, x.b_scale, x.b_zero};
  auto with = [&](std::size_t i, Tensor input) {
    Inputs inputs = sound;
    inputs.resize(std::max(inputs.size(), i + 1));
    inputs[i] = std::move(input);
    return call(Op::kQGemm, inputs).status().code();
  };
  EXPECT_EQ(with(0, random_bytes<std::uint8_t>({kInner})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(0, random_bytes<std::uint8_t>({kInner, kRows})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(3, random_bytes<std::int8_t>({1, kInner, kColumns})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(4, floats({2}, {1, 1})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(5, zeros), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(6, floats({1}, {1})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(6, tensor<std::int32_t>({3}, {1, 1, 1})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(6, Tensor(ElementType::kInt32, {2, kRows, kColumns})), StatusCode::kInvalidArgument);
  EXPECT_EQ(with(7, floats({}, {0})), StatusCode::kInvalidArgument);
  EXPECT_EQ(first(Op::kQGemm, {Tensor(ElementType::kUint8, {2, 0}), x.a_scale, x.a_zero,
                               Tensor(ElementType::kUint8, {0, 3}), x.a_scale, x.a_zero}),
            Tensor(ElementType::kFloat32, {2, 3}));
}

struct Packed {
  std::int64_t bits;
  bool zero_points;
};

class NBits : public ::testing::TestWithParam<Packed> {};

// 40 = 2.5 blocks of 16, so that the last block of each row is padded.
TEST_P(NBits, UnpacksLowestBitsFirst) {
  constexpr std::int64_t kN = 3;
  constexpr std::int64_t kK = 40;
  constexpr std::int64_t kBlocks = 3;
  auto [bits, has_zero_points] = GetParam();
  std::int64_t zero_bytes = (kBlocks * bits + 7) / 8;
  Tensor a = random_reals({2, 2, kK}, -1, 1);
  Tensor b = random_bytes<std::uint8_t>({kN, kBlocks, 16 * bits / 8});
  Tensor scales = random_reals({kN * kBlocks}, 0.1F, 1);
  Tensor zeros = random_bytes<std::uint8_t>({kN * zero_bytes});
  // Bit by bit, as a stream that begins anew with each block, or each row of zero points.
  auto element = [bits = bits](const Tensor& bytes, std::int64_t begin, std::int64_t i) {
    int value = 0;
    for (std::int64_t bit = 0; bit < bits; ++bit) {
      std::int64_t at = i * bits + bit;
      int byte = bytes.data<std::uint8_t>()[static_cast<std::size_t>(begin + at / 8)];
      value |= ((byte >> (at % 8)) & 1) << bit;
    }
    return value;
  };
  auto weight = [&](std::int64_t n, std::int64_t k) {
    std::int64_t block = n * kBlocks + k / 16;
    int zero = has_zero_points ? element(zeros, n * zero_bytes, k / 16) : 1 << (bits - 1);
    return static_cast<double>(scales.data<float>()[static_cast<std::size_t>(block)]) *
           (element(b, block * 16 * bits / 8, k % 16) - zero);
  };
  std::vector<double> reals = matrix(4, kN, [&](std::size_t i, std::size_t n) {
    double sum = 0;
    for (std::size_t k = 0; k < kK; ++k) {
      sum += static_cast<double>(a.data<float>()[i * kK + k]) *
             weight(static_cast<std::int64_t>(n), static_cast<std::int64_t>(k));
    }
    return sum;
  });
  Attributes attributes{{"N", kN}, {"K", kK}, {"bits", bits}, {"block_size", std::int64_t{16}}};
  Inputs inputs{a, b, scales};
  if (has_zero_points) {
    inputs.emplace_back(zeros);
  }
  Tensor y = first(Op::kMatMulNBits, inputs, attributes);
  EXPECT_EQ(y.shape(), (Shape{2, 2, kN}));
  expect_reals(y, reals);
  inputs.resize(6);
  inputs[5] = floats({kN}, {1, 2, 3});
  for (std::size_t i = 0; i < reals.size(); ++i) {
    reals[i] += static_cast<double>(i % kN + 1);
  }
  expect_reals(first(Op::kMatMulNBits, inputs, attributes), reals);
}

INSTANTIATE_TEST_SUITE_P(Widths, NBits,
                         ::testing::Values(Packed{2, false}, Packed{2, true}, Packed{4, false},
                                           Packed{4, true}, Packed{8, false}, Packed{8, true}),
                         [](const auto& each) {
                           return std::to_string(each.param.bits) +
                                  (each.param.zero_points ? "WithZeroPoints" : "Bits");
                         });

TEST(NBitsRefusals, WhatDoesNotFit) {
  Tensor a(ElementType::kFloat32, {1, 16});
  Tensor b(ElementType::kUint8, {1, 1, 8});
  Tensor scale = floats({1}, {1});
  Attributes sound{{"N", std::int64_t{1}},
                   {"K", std::int64_t{16}},
                   {"bits", std::int64_t{4}},
                   {"block_size", std::int64_t{16}}};
  EXPECT_EQ(refusal(Op::kMatMulNBits, {a, b, scale}, sound), "");
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  for (const char* name : {"N", "K", "bits", "block_size"}) {
    for (std::int64_t value : {-kHuge, std::int64_t{-1}, std::int64_t{0}, std::int64_t{3}, std::int64_t{32},
                               (std::int64_t{1} << 31) - 1, std::int64_t{1} << 30, kHuge}) {
      Attributes attributes = sound;
      attributes[name] = value;
      EXPECT_NE(refusal(Op::kMatMulNBits, {a, b, scale}, attributes), "") << name << " " << value;
    }
  }
  EXPECT_NE(refusal(Op::kMatMulNBits, {Tensor(ElementType::kFloat32, {1, 15}), b, scale}, sound), "");
  EXPECT_NE(refusal(Op::kMatMulNBits, {Tensor(ElementType::kFloat32, {}), b, scale}, sound), "");
  EXPECT_NE(refusal(Op::kMatMulNBits, {a, Tensor(ElementType::kInt8, {1, 1, 8}), scale}, sound), "");
  EXPECT_NE(refusal(Op::kMatMulNBits, {a, b, floats({2}, {1, 1})}, sound), "");
  EXPECT_NE(refusal(Op::kMatMulNBits, {a, b, scale, Tensor(ElementType::kUint8, {2})}, sound), "");
  EXPECT_NE(refusal(Op::kMatMulNBits, {a, b, scale, Tensor(ElementType::kInt8, {1})}, sound), "");
  EXPECT_EQ(call(Op::kMatMulNBits, {a, b, scale, std::nullopt, Tensor(ElementType::kInt32, {16})}, sound)
                .status()
                .code(),
            StatusCode::kUnsupported);
}

}  // namespace
}  // namespace zeropoint::operators
