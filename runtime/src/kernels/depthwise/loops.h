#pragma once

// Depthwise convolution as loops over 64 channels that the compiler turns into vectors. Internal linkage:
// each instruction set's file includes them.

#include <algorithm>
#include <cstdint>

#include "kernels/depthwise/depthwise.h"
#include "kernels/epilogue_scalar.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kBlock = 64;

/// sums[c] += in[c] * weights[c] for a block. A function of its own, since the compiler would otherwise take
/// several taps together and no vectors. Products of uint8 and int8 fit int16.
[[gnu::noinline]] void add_tap(const std::uint8_t* __restrict in, const std::int8_t* __restrict weights,
                               std::int32_t* __restrict sums) {
  for (std::int64_t c = 0; c < kBlock; ++c) {
    sums[c] += static_cast<std::int16_t>(in[c] * weights[c]);
  }
}

void depthwise_loops(const DepthwiseParams& p) {
  const Epilogue e = *p.epilogue;  // a copy, which what is written cannot change
  for (std::int64_t b = 0; b < p.blocks; ++b) {
    std::int64_t first = b * kBlock;
    std::int64_t count = std::min(kBlock, p.channels - first);
    for (std::int64_t x = 0; x < p.positions; ++x) {
      std::int32_t sums[kBlock];
      std::copy_n(e.bias + first, kBlock, sums);
      const std::uint8_t* in = p.input + x * p.input_step + first;
      const std::int8_t* w = p.weights + first * p.tap_count;
      for (std::int64_t t = 0; t < p.tap_count; ++t, w += kBlock) {
        add_tap(in + p.taps[t], w, sums);
      }
      std::uint8_t bytes[kBlock];
      const float* multipliers = e.multipliers + first;
      for (std::int64_t c = 0; c < kBlock; ++c) {
        bytes[c] = byte_of(static_cast<float>(sums[c]) * multipliers[c], e.zero_point, e.low, e.high);
      }
      std::copy_n(bytes, count, p.output + x * p.output_step + first);
    }
  }
}

}  // namespace
}  // namespace zeropoint::kernels
