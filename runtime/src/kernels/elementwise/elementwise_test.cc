// Each set of elementwise kernels against the definitions of affine.h and operations.h.

#include "kernels/elementwise/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/kernels_at_hand_for_test.h"
#include "zeropoint/affine.h"

namespace zeropoint::kernels {
namespace {

using namespace testing_kernels;

template <typename Test>
void on_every_set(Test&& test) {
  for_each_at_hand(elementwise_kernels(), [&](const ElementwiseKernels& kernels) {
    for (unsigned seed = 0; seed < 200 && !::testing::Test::HasFatalFailure(); ++seed) {
      SCOPED_TRACE(seed);
      Rng rng(seed);
      test(kernels, rng,
           one_of<std::int64_t>(rng, {1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 255, 256, 257, 300}));
    }
  });
}

QuantizeParams random_quantization(Rng& rng) {
  return {std::uniform_real_distribution<float>(0.001F, 0.1F)(rng),
          static_cast<std::int32_t>(pick(rng, 0, 255)), static_cast<std::uint8_t>(pick(rng, 0, 60)),
          static_cast<std::uint8_t>(pick(rng, 200, 255))};
}

std::uint8_t quantized(float real, const QuantizeParams& p) {
  return static_cast<std::uint8_t>(quantize(real, {p.scale, p.zero_point}, {p.low, p.high}));
}

TEST(Elementwise, QuantizesAndDequantizes) {
  on_every_set([](const ElementwiseKernels& kernels, Rng& rng, std::int64_t count) {
    QuantizeParams p = random_quantization(rng);
    std::vector<float> reals;
    const std::vector<float> corners{0, -0.0F, NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 1e-40F};
    for (std::int64_t i = 0; i < count; ++i) {
      float tie = (static_cast<float>(pick(rng, -300, 300)) + 0.5F) * p.scale;
      std::int64_t kind = pick(rng, 0, 3);
      reals.push_back(kind == 0   ? one_of(rng, corners)
                      : kind == 1 ? tie
                                  : std::uniform_real_distribution<float>(-20, 20)(rng));
    }
    std::vector<std::uint8_t> bytes(reals.size());
    kernels.quantize(reals.data(), bytes.data(), count, p);
    std::int64_t row = count / 4;
    constexpr std::uint8_t kUntouched = 0xA5;
    std::vector<std::uint8_t> rows(static_cast<std::size_t>(4 * (row + 3)), kUntouched);
    kernels.quantize_rows(reals.data(), rows.data(), 4, row + 3, row, p);
    for (std::int64_t i = 0; i < std::ssize(rows); ++i) {
      std::int64_t x = i % (row + 3);
      ASSERT_EQ(rows[static_cast<std::size_t>(i)],
                x < row ? bytes[static_cast<std::size_t>(i / (row + 3) * row + x)] : kUntouched);
    }
    std::vector<std::uint8_t> strided(reals.size() * 3);
    kernels.quantize_strided(reals.data(), strided.data(), 3, count, p);
    std::int64_t third = count / 3;
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * third));
    if (kernels.quantize_three != nullptr) {
      kernels.quantize_three(reals.data(), third, pixels.data(), third, p);
      for (std::size_t i = 0; i < pixels.size(); ++i) {
        ASSERT_EQ(pixels[i], bytes[i % 3 * static_cast<std::size_t>(third) + i / 3]);
      }
    }
    std::vector<float> back(reals.size());
    kernels.dequantize(bytes.data(), back.data(), count, p.scale, p.zero_point);
    for (std::size_t i = 0; i < reals.size(); ++i) {
      ASSERT_EQ(bytes[i], quantized(reals[i], p)) << reals[i];
      ASSERT_EQ(strided[3 * i], bytes[i]);
      ASSERT_EQ(back[i], dequantize(bytes[i], {p.scale, p.zero_point}));
    }
  });
}

TEST(Elementwise, SumsOfAccumulatorsAndMeans) {
  on_every_set([](const ElementwiseKernels& kernels, Rng& rng, std::int64_t count) {
    std::vector<std::int32_t> sums;
    std::vector<float> scales;
    for (std::int64_t i = 0; i < count; ++i) {
      sums.push_back(static_cast<std::int32_t>(
          pick(rng, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max())));
      scales.push_back(std::uniform_real_distribution<float>(0.001F, 1)(rng));
    }
    std::vector<float> reals(sums.size());
    kernels.dequantize_sums(sums.data(), reals.data(), count, scales.data());
    MeanParams p{std::uniform_real_distribution<float>(1e-8F, 1e-6F)(rng),
                 static_cast<std::int32_t>(pick(rng, 0, 255)), 3, 250};
    std::vector<std::uint8_t> means(sums.size());
    kernels.mean(sums.data(), means.data(), count, p);
    std::vector<std::int32_t> before = sums;
    for (std::int32_t& sum : before) {
      sum /= 2;
    }
    std::vector<std::int32_t> after = before;
    std::int64_t rows = pick(rng, 1, 3);
    std::int64_t apart = count + pick(rng, 0, 2);
    std::vector<std::uint8_t> matrix = random_bytes<std::uint8_t>(rng, rows * apart);
    kernels.accumulate(matrix.data(), apart, rows, after.data(), count);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      ASSERT_EQ(reals[i], dequantize(sums[i], {scales[i], 0}));
      ASSERT_EQ(means[i],
                quantize_steps(static_cast<float>(sums[i]) * p.factor, p.zero_point, {p.low, p.high}));
      std::int32_t column = before[i];
      for (std::int64_t r = 0; r < rows; ++r) {
        column += matrix[static_cast<std::size_t>(r * apart) + i];
      }
      ASSERT_EQ(after[i], column);
    }
  });
}

TEST(Elementwise, AddsLooksUpAndTakesTheLargest) {
  on_every_set([](const ElementwiseKernels& kernels, Rng& rng, std::int64_t count) {
    std::vector<std::uint8_t> own = random_bytes<std::uint8_t>(rng, count);
    std::vector<std::uint8_t> other = random_bytes<std::uint8_t>(rng, count);
    Epilogue e;
    e.own_first = pick(rng, 0, 1) == 0;
    e.own_scale = std::uniform_real_distribution<float>(0.1F, 2)(rng);
    e.other_scale = pick(rng, 0, 1) == 0 ? 0.5F : 1.25F;
    e.fixed = static_cast<float>(pick(rng, -50, 50));
    e.own_shift = 128;
    e.sum_shift = pick(rng, 0, 1) == 0 ? 0 : 128;
    e.sum_high = 240;
    std::vector<std::uint8_t> sums(own.size());
    kernels.add(own.data(), other.data(), sums.data(), count, e);
    std::vector<std::uint8_t> tables = random_bytes<std::uint8_t>(rng, 256 * count);
    std::vector<std::uint8_t> looked(own.size());
    std::vector<std::uint8_t> each(own.size());
    kernels.look_up(own.data(), looked.data(), count, tables.data());
    kernels.look_up_each(own.data(), each.data(), count, tables.data());
    std::vector<std::uint8_t> largest(own.size());
    kernels.maximum(own.data(), other.data(), largest.data(), count);
    for (std::size_t i = 0; i < own.size(); ++i) {
      auto q = static_cast<float>(own[i] - 128);
      auto p = static_cast<float>(other[i]);
      float sum = e.own_first ? q * e.own_scale + (p * e.other_scale + e.fixed)
                              : p * e.other_scale + (q * e.own_scale + e.fixed);
      ASSERT_EQ(sums[i], quantize_steps(sum, e.sum_shift, {e.sum_low, e.sum_high}));
      ASSERT_EQ(looked[i], tables[own[i]]);
      ASSERT_EQ(each[i], tables[256 * i + own[i]]);
      ASSERT_EQ(largest[i], std::max(own[i], other[i]));
    }
  });
}

TEST(Elementwise, CombinesReals) {
  on_every_set([](const ElementwiseKernels& kernels, Rng& rng, std::int64_t count) {
    std::vector<float> a;
    std::vector<float> b;
    for (std::int64_t i = 0; i < count; ++i) {
      a.push_back(std::uniform_real_distribution<float>(-3, 3)(rng));
      b.push_back(pick(rng, 0, 9) == 0 ? 0 : std::uniform_real_distribution<float>(-3, 3)(rng));
    }
    auto expect = [&](Arithmetic op, auto&& function) {
      std::vector<float> out(a.size());
      kernels.combine(op, a.data(), b.data(), out.data(), count);
      for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(function(a[i], b[i])));
      }
    };
    expect(Arithmetic::kAdd, [](float x, float y) { return x + y; });
    expect(Arithmetic::kSubtract, [](float x, float y) { return x - y; });
    expect(Arithmetic::kMultiply, [](float x, float y) { return x * y; });
    expect(Arithmetic::kDivide, [](float x, float y) { return x / y; });
  });
}

TEST(Elementwise, TakesTheLargestOfPixels) {
  on_every_set([](const ElementwiseKernels& kernels, Rng& rng, std::int64_t channels) {
    std::int64_t positions = pick(rng, 1, 5);
    std::int64_t taps = pick(rng, 1, 4);
    std::int64_t step = channels * pick(rng, 1, 3);
    std::int64_t tap_step = channels * pick(rng, 1, 2);
    std::int64_t output_step = channels + pick(rng, 0, 3);
    std::vector<std::uint8_t> in =
        random_bytes<std::uint8_t>(rng, (positions - 1) * step + (taps - 1) * tap_step + channels);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(positions * output_step), 0xA5);
    std::vector<std::uint8_t> expected = out;
    kernels.maximum_of_pixels(
        {in.data(), out.data(), channels, positions, taps, step, tap_step, output_step});
    for (std::int64_t x = 0; x < positions; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        std::uint8_t largest = 0;
        for (std::int64_t t = 0; t < taps; ++t) {
          largest = std::max(largest, in[static_cast<std::size_t>(x * step + t * tap_step + c)]);
        }
        expected[static_cast<std::size_t>(x * output_step + c)] = largest;
      }
    }
    ASSERT_EQ(out, expected);
  });
}

TEST(Elementwise, SoftmaxAndNormalizationAreThoseOfTheOperations) {
  on_every_set([](const ElementwiseKernels& kernels, Rng& rng, std::int64_t count) {
    std::vector<std::uint8_t> in = random_bytes<std::uint8_t>(rng, count);
    QuantizeParams to = random_quantization(rng);
    std::vector<std::int32_t> exponentials;
    for (int d = 0; d < 256; ++d) {
      exponentials.push_back(static_cast<std::int32_t>(std::llround(std::exp(-0.03 * d) * (1 << 30))));
    }
    std::vector<std::uint8_t> softmax(in.size());
    kernels.softmax(in.data(), softmax.data(), count, {exponentials.data(), to});
    std::uint8_t largest = *std::max_element(in.begin(), in.end());
    std::int64_t total = 0;
    std::int64_t sum = 0;
    std::int64_t squares = 0;
    std::vector<double> gain;
    std::vector<double> bias;
    NormalizeParams norm;
    norm.centers = pick(rng, 0, 1) == 0;
    norm.zero_point = static_cast<std::int32_t>(pick(rng, 0, 255));
    norm.scale = 0.02;
    norm.epsilon = 1e-5;
    norm.to = to;
    for (std::uint8_t q : in) {
      total += exponentials[static_cast<std::size_t>(largest - q)];
      sum += q - norm.zero_point;
      squares += (q - norm.zero_point) * (q - norm.zero_point);
      gain.push_back(static_cast<double>(std::uniform_real_distribution<float>(-2, 2)(rng)));
      bias.push_back(static_cast<double>(std::uniform_real_distribution<float>(-2, 2)(rng)));
    }
    norm.gain = gain.data();
    norm.bias = bias.data();
    std::vector<std::uint8_t> normalized(in.size());
    kernels.normalize(in.data(), normalized.data(), count, norm);
    auto n = static_cast<double>(count);
    double mean = norm.centers ? static_cast<double>(sum) / n : 0;
    double variance = std::max((static_cast<double>(squares) - static_cast<double>(sum) * mean) / n, 0.0);
    double factor = norm.scale / std::sqrt(variance * norm.scale * norm.scale + norm.epsilon);
    for (std::size_t i = 0; i < in.size(); ++i) {
      double e = exponentials[static_cast<std::size_t>(largest - in[i])];
      ASSERT_EQ(softmax[i], quantized(static_cast<float>(e / static_cast<double>(total)), to));
      double y = (static_cast<double>(in[i] - norm.zero_point) - mean) * factor * gain[i] + bias[i];
      ASSERT_EQ(normalized[i], quantized(static_cast<float>(y), to));
    }
  });
}

}  // namespace
}  // namespace zeropoint::kernels
