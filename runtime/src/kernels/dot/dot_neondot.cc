// sdot multiplies signed bytes: the input is taken less 128, and 128 times the sum of the weights goes into
// the biases. A tile of 4 positions by 8 channels.

#include <arm_neon.h>

#include <cstring>

#include "kernels/dot/store_loops.h"

namespace zeropoint::kernels {
namespace {

struct NeonDotTile : FourRows<NeonDotTile> {
  static constexpr std::int64_t kRows = 4;
  static constexpr std::int64_t kPanel = 8;

  template <int kOfRows>
  static void of_size(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                      std::int32_t* sums) {
    int32x4_t acc[kOfRows][2];
    int32x4_t weight_sums[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int r = 0; r < kOfRows; ++r) {
      acc[r][0] = vld1q_s32(sums + r * kPanel);
      acc[r][1] = vld1q_s32(sums + r * kPanel + 4);
    }
    const int8x16_t ones = vdupq_n_s8(1);
    std::int64_t quads = (p.segment_depth + 3) / 4;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += kPanel * 4) {
        int8x16_t low = vld1q_s8(weights);
        int8x16_t high = vld1q_s8(weights + 16);
        weight_sums[0] = vdotq_s32(weight_sums[0], ones, low);
        weight_sums[1] = vdotq_s32(weight_sums[1], ones, high);
        for (int r = 0; r < kOfRows; ++r) {
          std::uint32_t bytes;
          std::memcpy(&bytes, in + r * p.input_step, sizeof bytes);
          int8x16_t x = vreinterpretq_s8_u32(vdupq_n_u32(bytes ^ 0x80808080U));
          acc[r][0] = vdotq_s32(acc[r][0], low, x);
          acc[r][1] = vdotq_s32(acc[r][1], high, x);
        }
      }
    }
    for (int r = 0; r < kOfRows; ++r) {
      vst1q_s32(sums + r * kPanel, vmlaq_n_s32(acc[r][0], weight_sums[0], 128));
      vst1q_s32(sums + r * kPanel + 4, vmlaq_n_s32(acc[r][1], weight_sums[1], 128));
    }
  }
};

}  // namespace

void dot_u8s8_s32_4x8_neondot(const DotParams& p);
void dot_u8s8_s32_4x8_neondot(const DotParams& p) { run_tiles<NeonDotTile>(p); }

}  // namespace zeropoint::kernels
