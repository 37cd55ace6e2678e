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
  auto tap_count = one_of<std::int64_t>(rng, {1, 2, 3, 4, 5, 8, 9, 12, 25, 49});
  std::int64_t positions = pick(rng, 1, 10);
  std::int64_t step = channels * pick(rng, 1, 2);
  std::int64_t output_step = channels + (pick(rng, 0, 1) == 0 ? 0 : pick(rng, 1, 9));
  std::vector<std::ptrdiff_t> taps;
  for (std::int64_t t = 0; t < tap_count; ++t) {
    taps.push_back(pick(rng, 0, 500));
  }
  if (tap_count == 9 && pick(rng, 0, 2) > 0) {
    std::int64_t column = step % 2 == 0 && pick(rng, 0, 1) == 0 ? step / 2 : step;
    for (std::int64_t t = 0; t < 9; ++t) {  // columns that neighbours share
      taps[static_cast<std::size_t>(t)] = taps[static_cast<std::size_t>(t / 3 * 3)] + t % 3 * column;
    }
  }
  std::vector<std::uint8_t> input =
      random_bytes<std::uint8_t>(rng, (positions + 2) * step + 500 + channels + 128);
  std::vector<std::int8_t> weights = random_bytes<std::int8_t>(rng, channels * tap_count);
  std::vector<std::int32_t> bias;
  std::vector<float> multipliers;
  for (std::int64_t c = 0; c < channels; ++c) {
    bias.push_back(static_cast<std::int32_t>(pick(rng, -20000, 20000)));
    multipliers.push_back(std::uniform_real_distribution<float>(1e-4F, 0.01F)(rng));
  }
  DepthwiseWeights packed = kernel.pack(weights, bias, multipliers);
  Epilogue e;
  e.kind = EpilogueKind::kRequantize;
  e.bias = packed.bias.data();
  e.multipliers = packed.multipliers.data();
  e.zero_point = static_cast<std::int32_t>(pick(rng, 0, 255));
  e.low = static_cast<std::uint8_t>(pick(rng, 0, 60));
  e.high = static_cast<std::uint8_t>(pick(rng, 200, 255));
  constexpr std::uint8_t kUntouched = 0xA5;
  std::vector<std::uint8_t> output(static_cast<std::size_t>(positions * output_step), kUntouched);
  std::vector<std::uint8_t> expected = output;
  DepthwiseParams p{input.data(),          step,          taps.data(), tap_count,
                    packed.weights.data(), packed.blocks, channels,    positions,
                    output.data(),         output_step,   &e};
  kernel.run(p);
  for (std::int64_t x = 0; x < positions; ++x) {
    for (std::int64_t c = 0; c < channels; ++c) {
      auto channel = static_cast<std::size_t>(c);
      std::int64_t sum = bias[channel];
      for (std::int64_t t = 0; t < tap_count; ++t) {
        std::int64_t value =
            input[static_cast<std::size_t>(x * step + taps[static_cast<std::size_t>(t)] + c)];
        sum += value * weights[static_cast<std::size_t>(c * tap_count + t)];
      }
      expected[static_cast<std::size_t>(x * output_step + c)] =
          static_cast<std::uint8_t>(requantize(sum, multipliers[channel], e.zero_point, {e.low, e.high}));
    }
  }
  ASSERT_EQ(output, expected) << "seed " << seed << ": " << channels << " channels, " << tap_count
                              << " taps, " << positions << " positions";
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
