#include "kernels/depthwise/depthwise.h"

#include <algorithm>
#include <numeric>

namespace zeropoint::kernels {

#define ZP_DEPTHWISE_KERNEL(function, ...) void function(const DepthwiseParams& params);
#include "kernels/depthwise/kernels.inc"

namespace {

constexpr std::int64_t kBlock = 64;

/// Blocks of 64 channels, each [taps][64].
DepthwiseWeights in_order(std::span<const std::int8_t> weights, std::span<const std::int32_t> bias,
                          std::span<const float> multipliers, std::int64_t /*window_width*/) {
  std::size_t channels = bias.size();
  std::size_t taps = weights.size() / channels;
  std::size_t blocks = (channels + kBlock - 1) / kBlock;
  DepthwiseWeights packed;
  packed.blocks = static_cast<std::int64_t>(blocks);
  packed.weights.resize(blocks * kBlock * taps);
  packed.bias.resize(blocks * kBlock);
  packed.multipliers.resize(blocks * kBlock);
  for (std::size_t c = 0; c < channels; ++c) {
    packed.bias[c] = bias[c];
    packed.multipliers[c] = multipliers[c];
    for (std::size_t t = 0; t < taps; ++t) {
      packed.weights[(c / kBlock * taps + t) * kBlock + c % kBlock] = weights[c * taps + t];
    }
  }
  return packed;
}

/// A quad is four rows side by side, of a block of each pixel, and one block more.
[[maybe_unused]] bool fits_beside(const DepthwiseWindow& window) {
  return (window.rows / 4 + 1) * (window.span + 1) * 4 * kBlock <= kDepthwiseScratch;
}

/// Vectors of 16 channels, each [2][quads][window_width] with the bytes of four taps below each other for
/// every channel, and once more for a row of output below the first one: one row further down. Few channels
/// repeat in whole blocks of 64; else vectors that are taken four by four have their channels as unpacking
/// four rows gives them: lane L of vector j has channels 16 L + 4 j to 16 L + 4 j + 3.
[[maybe_unused]] DepthwiseWeights by_columns(std::span<const std::int8_t> weights,
                                             std::span<const std::int32_t> bias,
                                             std::span<const float> multipliers, std::int64_t window_width) {
  auto channels = static_cast<std::int64_t>(bias.size());
  DepthwiseGroups groups(channels);
  std::int64_t taps = std::ssize(weights) / channels;
  std::int64_t quads = taps / window_width / 4 + 1;
  std::int64_t slots =
      groups.repeats ? std::lcm(channels, kBlock) : std::max<std::int64_t>(3, groups.vectors) * 16;
  DepthwiseWeights packed;
  packed.blocks = slots / kBlock;
  packed.weights.resize(static_cast<std::size_t>(slots * 2 * quads * window_width * 4));
  for (std::int64_t i = 0; i < slots; ++i) {
    std::int64_t slot = i % kBlock;
    std::int64_t element =
        i < groups.fours * kBlock ? i - slot + slot % 16 / 4 * 16 + slot / 16 * 4 + slot % 4 : i;
    bool unused = !groups.repeats && element >= channels;
    auto channel = static_cast<std::size_t>(unused ? 0 : element % channels);
    packed.bias.push_back(bias[channel]);
    packed.multipliers.push_back(multipliers[channel]);
    for (std::int64_t t = 0; t < taps && !unused; ++t) {
      std::int8_t weight = weights[channel * static_cast<std::size_t>(taps) + static_cast<std::size_t>(t)];
      for (std::int64_t row = 0; row < 2; ++row) {
        std::int64_t y = t / window_width + row;
        std::int64_t vector = ((i / 16 * 2 + row) * quads + y / 4) * window_width + t % window_width;
        packed.weights[static_cast<std::size_t>(vector * kBlock + i % 16 * 4 + y % 4)] = weight;
      }
    }
  }
  return packed;
}

constexpr DepthwiseKernel kKernels[] = {
#define ZP_DEPTHWISE_KERNEL(function, isa, pack, takes_rows, fits) \
  {#function, Isa::isa, function, pack, takes_rows, fits},
#include "kernels/depthwise/kernels.inc"
};

}  // namespace

std::span<const DepthwiseKernel> depthwise_kernels() { return kKernels; }

}  // namespace zeropoint::kernels
