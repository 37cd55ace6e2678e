// Bytes widened to int16, products summed in int32. A tile of 4 positions by 8 channels.

#include <arm_neon.h>

#include "kernels/dot/store_loops.h"

namespace zeropoint::kernels {
namespace {

struct NeonTile : FourRows<NeonTile> {
  static constexpr std::int64_t kRows = 4;
  static constexpr std::int64_t kPanel = 8;

  template <int kOfRows>
  static void of_size(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                      std::int32_t* sums) {
    int32x4_t acc[kOfRows][2];
    for (int r = 0; r < kOfRows; ++r) {
      acc[r][0] = vld1q_s32(sums + r * kPanel);
      acc[r][1] = vld1q_s32(sums + r * kPanel + 4);
    }
    std::int64_t quads = (p.segment_depth + 3) / 4;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += kPanel * 4) {
        // [channel][4 bytes] of 8 channels to one vector per byte.
        int8x8x4_t w = vld4_s8(weights);
        for (int j = 0; j < 4; ++j) {
          int16x8_t wide = vmovl_s8(w.val[j]);
          for (int r = 0; r < kOfRows; ++r) {
            auto x = static_cast<std::int16_t>(in[r * p.input_step + j]);
            acc[r][0] = vmlal_n_s16(acc[r][0], vget_low_s16(wide), x);
            acc[r][1] = vmlal_n_s16(acc[r][1], vget_high_s16(wide), x);
          }
        }
      }
    }
    for (int r = 0; r < kOfRows; ++r) {
      vst1q_s32(sums + r * kPanel, acc[r][0]);
      vst1q_s32(sums + r * kPanel + 4, acc[r][1]);
    }
  }
};

}  // namespace

void dot_u8s8_s32_4x8_neon(const DotParams& p);
void dot_u8s8_s32_4x8_neon(const DotParams& p) { run_tiles<NeonTile>(p); }

}  // namespace zeropoint::kernels
