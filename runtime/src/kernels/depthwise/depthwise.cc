#include "kernels/depthwise/depthwise.h"

#include <numeric>

namespace zeropoint::kernels {

#define ZP_DEPTHWISE_KERNEL(function, ...) void function(const DepthwiseParams& params);
#include "kernels/depthwise/kernels.inc"

namespace {

constexpr std::int64_t kBlock = 64;

/// Blocks of 64 channels, each [taps][64].
DepthwiseWeights in_order(std::span<const std::int8_t> weights, std::span<const std::int32_t> bias,
                          std::span<const float> multipliers) {
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

/// Rows of dense pixels are walked through 64 bytes at a time whatever the channels are: the blocks repeat
/// when both 64 and the channels divide their bytes. A block holds four vectors; lane L of vector j has
/// channels 16 L + 4 j to 16 L + 4 j + 3, with the bytes of four taps each.
[[maybe_unused]] DepthwiseWeights interleaved(std::span<const std::int8_t> weights,
                                              std::span<const std::int32_t> bias,
                                              std::span<const float> multipliers) {
  auto channels = static_cast<std::int64_t>(bias.size());
  std::int64_t taps = static_cast<std::int64_t>(weights.size()) / channels;
  std::int64_t quads = (taps + 3) / 4;
  DepthwiseWeights packed;
  packed.blocks = channels / std::gcd(channels, kBlock);
  packed.weights.resize(static_cast<std::size_t>(packed.blocks * quads * 4 * kBlock));
  for (std::int64_t i = 0; i < packed.blocks * kBlock; ++i) {
    // Slot i of the vectors holds this element of the row.
    std::int64_t in_block = i % kBlock;
    std::int64_t element = i - in_block + in_block % 16 / 4 * 16 + in_block / 16 * 4 + in_block % 4;
    auto channel = static_cast<std::size_t>(element % channels);
    packed.bias.push_back(bias[channel]);
    packed.multipliers.push_back(multipliers[channel]);
    for (std::int64_t t = 0; t < taps; ++t) {
      std::int64_t to = (i / kBlock * quads + t / 4) * 4 * kBlock + in_block * 4 + t % 4;
      packed.weights[static_cast<std::size_t>(to)] =
          weights[channel * static_cast<std::size_t>(taps) + static_cast<std::size_t>(t)];
    }
  }
  return packed;
}

constexpr DepthwiseKernel kKernels[] = {
#define ZP_DEPTHWISE_KERNEL(function, isa, pack) {#function, Isa::isa, function, pack},
#include "kernels/depthwise/kernels.inc"
};

}  // namespace

std::span<const DepthwiseKernel> depthwise_kernels() { return kKernels; }

}  // namespace zeropoint::kernels
