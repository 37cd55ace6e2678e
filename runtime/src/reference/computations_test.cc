// Operations between quantized tensors against their definition on real numbers, in float64.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "reference/programs_for_test.h"

namespace zeropoint {
namespace {

using namespace testing_programs;

Tensor run(Operation operation, const std::vector<Tensor>& inputs, ElementType out) {
  Program program;
  program.name = "one";
  for (const Tensor& input : inputs) {
    program.inputs.push_back(static_cast<TensorId>(program.tensors.size()));
    program.tensors.push_back({"x", input.type(), input.shape()});
  }
  program.outputs = {static_cast<TensorId>(program.tensors.size())};
  program.tensors.push_back({"y", out, std::nullopt});
  program.operations = {std::move(operation)};
  Result<std::vector<Tensor>> outputs = run_reference(program, inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? (*outputs)[0] : Tensor();
}

/// One of the types of quantized activations, with its parameters.
struct Activation {
  ElementType type;
  QuantParams params;
  QuantizedRange range;

  static Activation random(Rng& rng) {
    constexpr ElementType kTypes[] = {ElementType::kInt8, ElementType::kUint8, ElementType::kInt16,
                                      ElementType::kUint16, ElementType::kInt4};
    ElementType type = kTypes[pick(rng, 0, 4)];
    QuantizedRange range = storage_range(type);
    std::uniform_real_distribution<float> scale(0.003F, 0.1F);
    return {type, {scale(rng), pick(rng, range.q_min, range.q_max)}, range};
  }

  [[nodiscard]] Quantization quantization() const { return {params, range}; }

  [[nodiscard]] double real(std::int64_t q) const {
    return static_cast<double>(params.scale) * static_cast<double>(q - params.zero_point);
  }
};

std::vector<double> reals_of(const Tensor& tensor, const Activation& activation) {
  std::vector<double> reals;
  for (std::int64_t q : integers_of(tensor)) {
    reals.push_back(activation.real(q));
  }
  return reals;
}

/// Each integer is the real's, rounded: the real lies within half a step of it, and `slack` steps for what
/// float32 and tables lose before they round.
void expect_rounded(const Tensor& actual, const std::vector<double>& reals, const Activation& to,
                    double slack, unsigned seed) {
  std::vector<std::int64_t> integers = integers_of(actual);
  ASSERT_EQ(integers.size(), reals.size());
  for (std::size_t i = 0; i < reals.size(); ++i) {
    double steps =
        reals[i] / static_cast<double>(to.params.scale) + static_cast<double>(to.params.zero_point);
    double clamped =
        std::clamp(steps, static_cast<double>(to.range.q_min), static_cast<double>(to.range.q_max));
    ASSERT_NEAR(static_cast<double>(integers[i]), clamped, 0.5 + slack * std::max(1.0, std::abs(steps)))
        << "seed " << seed << ", element " << i;
  }
}

constexpr double kFloat32 = 1e-6;  // a few roundings of float32

TEST(Computations, MultipliesTwoTensorsWithBroadcastBatches) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    Activation a = Activation::random(rng);
    Activation b = Activation::random(rng);
    Activation y = Activation::random(rng);
    std::int64_t m = pick(rng, 1, 4);
    std::int64_t k = pick(rng, 1, 9);
    std::int64_t n = pick(rng, 1, 4);
    bool broadcast = pick(rng, 0, 1) == 0;
    Tensor left = random_integers(a.type, {2, 3, m, k}, rng);
    Tensor right = random_integers(b.type, broadcast ? Shape{3, k, n} : Shape{2, 1, k, n}, rng);
    bool fixed = pick(rng, 0, 1) == 0;
    Requantization by{{}, y.params.zero_point, y.range};
    if (fixed) {
      by.multipliers = std::vector{*fixed_point_multiplier(a.params.scale, b.params.scale, y.params.scale)};
    } else {
      by.multipliers = std::vector{*float_multiplier(a.params.scale, b.params.scale, y.params.scale)};
    }
    Tensor actual =
        run(MatMulOp{0, 1, 2, a.params.zero_point, b.params.zero_point, by}, {left, right}, y.type);
    ASSERT_EQ(actual.shape(), (Shape{2, 3, m, n}));
    std::vector<double> l = reals_of(left, a);
    std::vector<double> r = reals_of(right, b);
    std::vector<double> expected;
    for (std::int64_t i = 0; i < 6 * m * n; ++i) {
      std::int64_t batch = i / (m * n);
      std::int64_t other = broadcast ? batch % 3 : batch / 3;
      double sum = 0;
      for (std::int64_t j = 0; j < k; ++j) {
        sum += l[static_cast<std::size_t>((batch * m + i / n % m) * k + j)] *
               r[static_cast<std::size_t>((other * k + j) * n + i % n)];
      }
      expected.push_back(sum);
    }
    expect_rounded(actual, expected, y, kFloat32, seed);
  }
}

TEST(Computations, AddsTwoTensorsThatAreBroadcast) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    Activation a = Activation::random(rng);
    Activation b = Activation::random(rng);
    Activation y = Activation::random(rng);
    Tensor left = random_integers(a.type, {2, 3, 4}, rng);
    Tensor right = random_integers(b.type, {3, 1}, rng);
    Tensor actual = run(AddOp{0, 1, 2, a.params, b.params, y.quantization()}, {left, right}, y.type);
    ASSERT_EQ(actual.shape(), (Shape{2, 3, 4}));
    std::vector<double> expected = reals_of(left, a);
    std::vector<double> added = reals_of(right, b);
    double largest = 0;  // what the float32 sums pass through, in steps of the result
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] += added[i / 4 % 3];
    }
    for (const Activation& operand : {a, b}) {
      double reach =
          std::max(std::abs(operand.real(operand.range.q_min)), std::abs(operand.real(operand.range.q_max)));
      largest = std::max(largest, reach / static_cast<double>(y.params.scale));
    }
    expect_rounded(actual, expected, y, kFloat32 * (1 + largest), seed);
  }
}

// 0.5 + 0.25 at a step of 0.5 is a tie in float32, and rounds to even.
TEST(Computations, ATieOfASumGoesToTheEvenInteger) {
  Quantization to{{0.5F, 10}, storage_range(ElementType::kUint8)};
  Tensor a = Tensor::of<std::uint8_t>({4}, std::vector<std::uint8_t>{1, 3, 5, 255});
  Tensor b = Tensor::of<std::uint8_t>({1}, std::vector<std::uint8_t>{3});
  Tensor sum = run(AddOp{0, 1, 2, {0.25F, 0}, {0.5F, 3}, to}, {a, b}, ElementType::kUint8);
  EXPECT_EQ(integers_of(sum), (std::vector<std::int64_t>{10, 12, 12, 138}));
}

TEST(Computations, SumsAndMeansOverAnyAxes) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    Rng rng(seed);
    Activation x = Activation::random(rng);
    Activation y = Activation::random(rng);
    Shape shape{pick(rng, 1, 4), pick(rng, 1, 4), pick(rng, 1, 4), pick(rng, 1, 4)};
    Tensor q = random_integers(x.type, shape, rng);
    ReduceOp op{0, 1, {}, pick(rng, 0, 1) == 0, pick(rng, 0, 1) == 0, x.params, y.quantization()};
    Shape kept = shape;
    for (std::int64_t axis = 0; axis < 4; ++axis) {
      if (pick(rng, 0, 1) == 0) {
        op.axes.push_back(pick(rng, 0, 1) == 0 ? axis : axis - 4);
        kept[static_cast<std::size_t>(axis)] = 1;
      }
    }
    std::vector<double> expected(static_cast<std::size_t>(*element_count(kept)));
    std::vector<double> reals = reals_of(q, x);
    for (std::int64_t i = 0; i < q.size(); ++i) {
      Shape at = position_of(i, shape);
      std::int64_t index = 0;
      for (std::size_t axis = 0; axis < 4; ++axis) {
        index = index * kept[axis] + (kept[axis] == 1 ? 0 : at[axis]);
      }
      expected[static_cast<std::size_t>(index)] += reals[static_cast<std::size_t>(i)];
    }
    double n = static_cast<double>(q.size()) / static_cast<double>(expected.size());
    for (double& sum : expected) {
      sum /= op.mean ? n : 1;
    }
    Tensor actual = run(op, {q}, y.type);
    ASSERT_EQ(actual.rank(), op.keep_axes ? 4 : 4 - static_cast<std::int64_t>(op.axes.size()));
    expect_rounded(actual, expected, y, kFloat32, seed);
  }
}

TEST(Computations, AveragesUnderWindowsAsTheRealOperatorDoes) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    Activation x = Activation::random(rng);
    Activation y = Activation::random(rng);
    Tensor q = random_integers(x.type, {2, 2, pick(rng, 3, 7), pick(rng, 3, 7)}, rng);
    std::vector<std::int64_t> kernel{pick(rng, 1, 3), pick(rng, 1, 3)};
    std::vector<std::int64_t> pads;
    for (std::size_t i = 0; i < 4; ++i) {
      pads.push_back(pick(rng, 0, kernel[i % 2] - 1));
    }
    Attributes attributes{{"kernel_shape", kernel},
                          {"pads", pads},
                          {"strides", std::vector<std::int64_t>{pick(rng, 1, 2), pick(rng, 1, 3)}},
                          {"ceil_mode", pick(rng, 0, 1)},
                          {"count_include_pad", pick(rng, 0, 1)}};
    Tensor reals(ElementType::kFloat64, q.shape());
    std::vector<double> values = reals_of(q, x);
    std::copy(values.begin(), values.end(), reals.data<double>().begin());
    const Tensor* arguments[] = {&reals};
    Result<std::vector<Tensor>> expected = evaluate(OperatorCall(Op::kAveragePool, attributes, arguments));
    ASSERT_TRUE(expected.ok()) << expected.status().message();
    Tensor actual = run(AveragePoolOp{0, 1, attributes, x.params, y.quantization()}, {q}, y.type);
    ASSERT_EQ(actual.shape(), (*expected)[0].shape());
    auto means = (*expected)[0].data<double>();
    expect_rounded(actual, {means.begin(), means.end()}, y, kFloat32, seed);
  }
}

TEST(Computations, SoftmaxIsWithinItsTableOfTheRealOne) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    Activation x = Activation::random(rng);
    bool logarithm = pick(rng, 0, 1) == 0;
    Activation y{ElementType::kUint8, {1.0F / 256, 0}, {0, 255}};
    if (logarithm) {
      y = {ElementType::kInt16, {0.001F, 32767}, storage_range(ElementType::kInt16)};
    }
    SoftmaxOp op{0, 1, 1, logarithm, x.params.scale, {}, y.quantization()};
    for (std::int64_t d = 0; d <= x.range.q_max - x.range.q_min; ++d) {
      op.exponentials.push_back(
          std::llround(std::exp(-static_cast<double>(x.params.scale) * static_cast<double>(d)) * (1 << 30)));
    }
    std::int64_t extent = pick(rng, 1, 20);
    std::int64_t inner = pick(rng, 1, 3);
    Tensor q = random_integers(x.type, {2, extent, inner}, rng);
    std::vector<double> reals = reals_of(q, x);
    std::vector<double> expected(reals.size());
    for (std::int64_t lane = 0; lane < 2 * inner; ++lane) {
      auto at = [&](std::int64_t i) {
        return static_cast<std::size_t>((lane / inner * extent + i) * inner + lane % inner);
      };
      double largest = -1e300;
      for (std::int64_t i = 0; i < extent; ++i) {
        largest = std::max(largest, reals[at(i)]);
      }
      double sum = 0;
      for (std::int64_t i = 0; i < extent; ++i) {
        sum += std::exp(reals[at(i)] - largest);
      }
      for (std::int64_t i = 0; i < extent; ++i) {
        double shifted = reals[at(i)] - largest;
        expected[at(i)] = logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum;
      }
    }
    expect_rounded(run(op, {q}, y.type), expected, y, 1e-6, seed);
  }
}

TEST(Computations, NormalizesAsTheRealOperatorsDo) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    Activation x = Activation::random(rng);
    Activation y{ElementType::kInt8, {0.05F, 3}, storage_range(ElementType::kInt8)};
    std::int64_t groups = pick(rng, 1, 3);
    std::int64_t channels = groups * pick(rng, 1, 2);
    std::int64_t plane = pick(rng, 2, 9);
    Tensor q = random_integers(x.type, {2, channels, plane}, rng);
    NormalizeOp op{0,
                   1,
                   static_cast<NormalizeOp::Kind>(pick(rng, 0, 2)),
                   0,
                   0,
                   1e-3F,
                   {},
                   {},
                   x.params,
                   y.quantization()};
    op.axis = pick(rng, 0, 1) == 0 ? -1 : 1;
    bool grouped = op.kind == NormalizeOp::Kind::kGroup;
    op.groups = grouped ? (pick(rng, 0, 1) == 0 ? 0 : groups) : 0;
    std::int64_t set = op.axis == -1 ? plane : channels * plane;
    if (grouped) {
      set = op.groups == 0 ? plane : channels / groups * plane;
    }
    std::int64_t gains = grouped ? channels : set;
    std::uniform_real_distribution<float> parameter(-1, 1);
    for (std::int64_t i = 0; i < gains; ++i) {
      op.gain.push_back(parameter(rng));
      op.bias.push_back(parameter(rng));
    }
    std::vector<double> reals = reals_of(q, x);
    std::vector<double> expected(reals.size());
    auto n = static_cast<double>(set);
    for (std::size_t begin = 0; begin < reals.size(); begin += static_cast<std::size_t>(set)) {
      auto first = reals.begin() + static_cast<std::ptrdiff_t>(begin);
      auto last = first + static_cast<std::ptrdiff_t>(set);
      double mean = op.kind == NormalizeOp::Kind::kRootMeanSquare ? 0 : std::accumulate(first, last, 0.0) / n;
      double variance = 0;
      std::for_each(first, last, [&](double r) { variance += (r - mean) * (r - mean) / n; });
      for (std::size_t i = begin; i < begin + static_cast<std::size_t>(set); ++i) {
        auto index = static_cast<std::int64_t>(i);
        auto k = static_cast<std::size_t>(grouped ? index / plane % channels : index % set);
        expected[i] = (reals[i] - mean) / std::sqrt(variance + 1e-3) * static_cast<double>(op.gain[k]) +
                      static_cast<double>(op.bias[k]);
      }
    }
    expect_rounded(run(op, {q}, y.type), expected, y, 1e-6, seed);
  }
}

TEST(Computations, LooksUpTablesPerTensorAndPerChannel) {
  Tensor q = Tensor::of<std::int8_t>({2, 2, 2}, {-128, 127, 0, 1, 2, 3, 4, -5});
  Tensor one(ElementType::kUint8, {256});
  Tensor two(ElementType::kUint8, {2, 256});
  for (int i = 0; i < 256; ++i) {
    auto at = static_cast<std::size_t>(i);
    one.data<std::uint8_t>()[at] = two.data<std::uint8_t>()[at] = static_cast<std::uint8_t>(255 - i);
    two.data<std::uint8_t>()[256 + at] = static_cast<std::uint8_t>(i / 2);
  }
  EXPECT_EQ(integers_of(run(TableOp{0, 1, one, 1}, {q}, ElementType::kUint8)),
            (std::vector<std::int64_t>{255, 0, 127, 126, 125, 124, 123, 132}));
  EXPECT_EQ(integers_of(run(TableOp{0, 1, two, 1}, {q}, ElementType::kUint8)),
            (std::vector<std::int64_t>{255, 0, 64, 64, 125, 124, 66, 61}));
  EXPECT_EQ(integers_of(run(TableOp{0, 1, two, 2}, {q}, ElementType::kUint8)),
            (std::vector<std::int64_t>{255, 127, 127, 64, 125, 65, 123, 61}));
}

TEST(Computations, ArithmeticRoundsEachOperationToFloat32) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    Activation a = Activation::random(rng);
    Activation b = Activation::random(rng);
    Activation y = Activation::random(rng);
    Tensor left = random_integers(a.type, {3, 4}, rng);
    Tensor right = random_integers(b.type, {4}, rng);
    ArithmeticOp op{
        {{0, {{a.params.scale}, a.params.zero_point, 1}}, {1, {{b.params.scale}, b.params.zero_point, 1}}},
        {Tensor::of<float>({}, {0.75F})},
        {{Op::kMul, {}, {0, 1}}, {Op::kAdd, {}, {3, 0}}, {Op::kMax, {}, {4, 2}}},
        2,
        y.quantization()};
    std::vector<std::int64_t> expected;
    std::vector<std::int64_t> l = integers_of(left);
    std::vector<std::int64_t> r = integers_of(right);
    for (std::size_t i = 0; i < l.size(); ++i) {
      // Products and sums of two float32 are rounded once by way of float64.
      auto x = static_cast<double>(static_cast<float>(a.real(l[i])));
      auto z = static_cast<double>(static_cast<float>(b.real(r[i % 4])));
      auto product = static_cast<double>(static_cast<float>(x * z));
      float real = std::max(static_cast<float>(product + x), 0.75F);
      auto steps = static_cast<double>(
          static_cast<float>(static_cast<double>(real) / static_cast<double>(y.params.scale)));
      expected.push_back(
          std::clamp(rounded(steps, true) + y.params.zero_point, y.range.q_min, y.range.q_max));
    }
    ASSERT_EQ(integers_of(run(op, {left, right}, y.type)), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace zeropoint
