#include "kernels/depthwise/depthwise.h"

#include <gtest/gtest.h>

#include "kernels/kernels_at_hand_for_test.h"
#include "zeropoint/requantize.h"

namespace zeropoint::kernels {
namespace {

using namespace testing_kernels;

void test(const DepthwiseKernel& kernel, unsigned seed) {
  Rng rng(seed);
  auto channels =
      one_of<std::int64_t>(rng, {1, 2, 3, 7, 8, 9, 16, 24, 31, 32, 33, 63, 64, 65, 96, 128, 144, 200});
  auto window_height = one_of<std::int64_t>(rng, {1, 2, 3, 3, 3, 3, 4, 5, 7, 8, 9, 20});
  auto window_width = one_of<std::int64_t>(rng, {1, 2, 3, 3, 3, 3, 4, 5, 7, 25});
  std::int64_t tap_count = window_height * window_width;
  std::int64_t positions = one_of<std::int64_t>(rng, {1, 2, 3, 4, 5, 7, 10, 33, 70});
  std::int64_t rows = kernel.takes_rows ? pick(rng, 1, 5) : 1;
  std::int64_t pixel = channels + (pick(rng, 0, 1) == 0 ? 0 : pick(rng, 1, 70));
  std::int64_t step = pixel * one_of<std::int64_t>(rng, {1, 1, 2, 3});
  std::int64_t dilation = one_of<std::int64_t>(rng, {1, 1, 1, 2, 5});
  std::int64_t pitch = pick(rng, 0, 3000);
  std::ptrdiff_t input_row = pick(rng, 0, 2) > 0 ? pitch : pick(rng, 0, 3000);
  if (kernel.fits != nullptr && !kernel.fits({window_height, (window_width - 1) * dilation + 1})) {
    return;
  }
  std::int64_t output_step = channels + (pick(rng, 0, 1) == 0 ? 0 : pick(rng, 1, 9));
  std::vector<std::ptrdiff_t> taps;
  for (std::int64_t t = 0; t < tap_count; ++t) {
    taps.push_back(t / window_width * pitch + t % window_width * dilation * pixel);
  }
  std::vector<std::uint8_t> input = random_bytes<std::uint8_t>(
      rng, positions * step + taps.back() + (rows - 1) * input_row + channels + 64);
  std::vector<std::int8_t> weights = random_bytes<std::int8_t>(rng, channels * tap_count);
  std::vector<std::int32_t> bias;
  std::vector<float> multipliers;
  for (std::int64_t c = 0; c < channels; ++c) {
    bias.push_back(static_cast<std::int32_t>(pick(rng, -20000, 20000)));
    multipliers.push_back(std::uniform_real_distribution<float>(1e-4F, 0.01F)(rng));
  }
  DepthwiseWeights packed = kernel.pack(weights, bias, multipliers, window_width);
  Epilogue e;
  e.kind = EpilogueKind::kRequantize;
  e.bias = packed.bias.data();
  e.multipliers = packed.multipliers.data();
  if (pick(rng, 0, 1) == 0) {  // else no shift and no clamp
    e.zero_point = static_cast<std::int32_t>(pick(rng, 0, 255));
    e.low = static_cast<std::uint8_t>(pick(rng, 0, 60));
    e.high = static_cast<std::uint8_t>(pick(rng, 200, 255));
  }
  constexpr std::uint8_t kUntouched = 0xA5;
  std::ptrdiff_t output_row = positions * output_step + pick(rng, 0, 5);
  std::vector<std::uint8_t> output(static_cast<std::size_t>(rows * output_row), kUntouched);
  std::vector<std::uint8_t> expected = output;
  DepthwiseParams p{
      input.data(), step,          taps.data(), tap_count, packed.weights.data(), packed.blocks, channels,
      positions,    output.data(), output_step, &e,        window_width,          pixel,         rows,
      input_row,    output_row};
  kernel.run(p);
  for (std::int64_t i = 0; i < rows * positions; ++i) {
    std::int64_t y = i / positions;
    std::int64_t x = i % positions;
    for (std::int64_t c = 0; c < channels; ++c) {
      auto channel = static_cast<std::size_t>(c);
      std::int64_t sum = bias[channel];
      for (std::int64_t t = 0; t < tap_count; ++t) {
        std::int64_t value =
            input[static_cast<std::size_t>(y * input_row + x * step + taps[static_cast<std::size_t>(t)] + c)];
        sum += value * weights[static_cast<std::size_t>(c * tap_count + t)];
      }
      expected[static_cast<std::size_t>(y * output_row + x * output_step + c)] =
          static_cast<std::uint8_t>(requantize(sum, multipliers[channel], e.zero_point, {e.low, e.high}));
    }
  }
  ASSERT_EQ(output, expected) << "seed " << seed << ": " << channels << " channels, " << window_height
                              << " x " << window_width << " taps, " << rows << " x " << positions
                              << " positions";
}

TEST(Depthwise, EveryKernelEqualsTheDefinition) {
  for_each_at_hand(depthwise_kernels(), [](const DepthwiseKernel& kernel) {
    for (unsigned seed = 0; seed < 500 && !::testing::Test::HasFatalFailure(); ++seed) {
      test(kernel, seed);
    }
  });
}

}  // namespace
}  // namespace zeropoint::kernels
