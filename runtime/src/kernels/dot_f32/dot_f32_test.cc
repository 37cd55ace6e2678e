// Every kernel against one fused multiply-add after the other.

#include "kernels/dot_f32/dot_f32.h"

#include <cmath>
#include <cstring>

#include "kernels/kernels_at_hand_for_test.h"

namespace zeropoint::kernels {
namespace {

using namespace testing_kernels;

std::vector<float> random_reals(Rng& rng, std::int64_t count) {
  std::vector<float> reals;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t corner = pick(rng, 0, 40);
    float ordinary = std::normal_distribution<float>(0, 1)(rng);
    constexpr float kMany = 3e38F;
    reals.push_back(corner == 0   ? 0.0F
                    : corner == 1 ? -0.0F
                    : corner == 2 ? 1e-42F
                    : corner == 3 ? (pick(rng, 0, 9) == 0 ? kMany : 1e-30F)
                                  : ordinary);
  }
  return reals;
}

bool same(float a, float b) { return std::isnan(a) ? std::isnan(b) : std::memcmp(&a, &b, sizeof a) == 0; }

/// A product of random extents, and what it must give.
struct Case {
  FloatDotParams params;
  std::vector<float> left, matrix, panels, bias, scales, zeros;
  std::vector<std::uint8_t> integers;
  std::int64_t padding = 0;

  Case(Rng& rng, int bits) {
    FloatDotParams& p = params;
    p.rows = pick(rng, 1, 14);
    p.columns = pick(rng, 0, 1) == 0 ? pick(rng, 1, 10) : pick(rng, 1, 9) * 16 + pick(rng, -1, 1);
    p.depth = pick(rng, 0, 1) == 0 ? pick(rng, 1, 10) : pick(rng, 11, 70);
    p.left_step = p.depth + pick(rng, 0, 3);
    left = random_reals(rng, p.rows * p.left_step);
    matrix = random_reals(rng, p.depth * p.columns);
    if (bits == 0) {
      panels.resize(static_cast<std::size_t>(float_panels_size(p.depth, p.columns)));
      pack_float_panels(matrix.data(), p.depth, p.columns, p.columns, 1, panels.data());
      p.right = panels.data();
    } else {
      quantize(rng, bits);
    }
    p.left = left.data();
    padding = pick(rng, 0, 2);
    p.output_step = p.columns + padding;
    std::int64_t which = pick(rng, 0, 2);
    bias = random_reals(rng, std::max(p.rows, p.columns));
    p.row_bias = which == 1 ? bias.data() : nullptr;
    p.column_bias = which == 2 ? bias.data() : nullptr;
    p.clamps = pick(rng, 0, 1) == 0;
    p.low = pick(rng, 0, 1) == 0 ? 0.0F : -std::numeric_limits<float>::infinity();
    p.high = pick(rng, 0, 1) == 0 ? 2.5F : std::numeric_limits<float>::infinity();
  }

  void quantize(Rng& rng, int bits) {
    FloatDotParams& p = params;
    std::int64_t panel_count = (p.columns + kFloatPanel - 1) / kFloatPanel;
    QuantizedPanels& q = p.quantized;
    q.bits = bits;
    q.block = bits == 4 ? 2 * pick(rng, 1, 20) : pick(rng, 1, 40);
    std::int64_t blocks = (p.depth + q.block - 1) / q.block;
    std::int64_t lines = bits == 8 ? p.depth : (p.depth + 1) / 2;
    integers = random_bytes<std::uint8_t>(rng, panel_count * lines * kFloatPanel);
    for (std::int64_t i = 0; i < panel_count * blocks * kFloatPanel; ++i) {
      scales.push_back(std::uniform_real_distribution<float>(0.001F, 0.1F)(rng));
      zeros.push_back(pick(rng, 0, 5) == 0 ? 7.25F : static_cast<float>(pick(rng, 0, (1 << bits) - 1)));
    }
    q.integers = integers.data();
    q.scales = scales.data();
    q.zeros = zeros.data();
    for (std::int64_t k = 0; k < p.depth; ++k) {
      for (std::int64_t c = 0; c < p.columns; ++c) {
        std::int64_t panel = c / kFloatPanel;
        std::int64_t line = bits == 8 ? k : k / 2;
        std::uint8_t byte =
            integers[static_cast<std::size_t>((panel * lines + line) * kFloatPanel + c % kFloatPanel)];
        auto real = static_cast<float>(bits == 8 ? byte : k % 2 == 0 ? byte & 15 : byte >> 4);
        auto at = static_cast<std::size_t>((panel * blocks + k / q.block) * kFloatPanel + c % kFloatPanel);
        matrix[static_cast<std::size_t>(k * p.columns + c)] = scales[at] * (real - zeros[at]);
      }
    }
  }

  [[nodiscard]] float expected(std::int64_t r, std::int64_t c) const {
    const FloatDotParams& p = params;
    float sum = 0;
    for (std::int64_t k = 0; k < p.depth; ++k) {
      sum = std::fma(p.left[r * p.left_step + k], matrix[static_cast<std::size_t>(k * p.columns + c)], sum);
    }
    sum = p.row_bias != nullptr      ? sum + p.row_bias[r]
          : p.column_bias != nullptr ? sum + p.column_bias[c]
                                     : sum;
    if (p.clamps) {
      sum = sum < p.low ? p.low : sum;
      sum = sum > p.high ? p.high : sum;
    }
    return sum;
  }
};

class FloatDot : public testing::TestWithParam<int> {};

TEST_P(FloatDot, EqualsOneTermAfterTheOther) {
  for_each_at_hand(float_dot_kernels(), [](const FloatDotKernel& kernel) {
    for (unsigned seed = 0; seed < 300; ++seed) {
      Rng rng(seed);
      Case c(rng, GetParam());
      constexpr float kUntouched = -77;
      std::vector<float> out(static_cast<std::size_t>(c.params.rows * c.params.output_step), kUntouched);
      c.params.output = out.data();
      kernel.run(c.params);
      for (std::int64_t i = 0; i < std::ssize(out); ++i) {
        std::int64_t column = i % c.params.output_step;
        float expected =
            column < c.params.columns ? c.expected(i / c.params.output_step, column) : kUntouched;
        ASSERT_TRUE(same(out[static_cast<std::size_t>(i)], expected))
            << "seed " << seed << ", element " << i << ": " << out[static_cast<std::size_t>(i)] << ", not "
            << expected;
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Right, FloatDot, testing::Values(0, 8, 4),
                         [](const testing::TestParamInfo<int>& bits) {
                           return bits.param == 0 ? std::string("Floats")
                                                  : "Of" + std::to_string(bits.param) + "Bits";
                         });

}  // namespace
}  // namespace zeropoint::kernels
