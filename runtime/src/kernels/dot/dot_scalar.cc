#include "kernels/dot/store_loops.h"

namespace zeropoint::kernels {
namespace {

struct ScalarTile {
  static constexpr std::int64_t kRows = 4;
  static constexpr std::int64_t kPanel = 8;

  static void accumulate(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                         std::int64_t rows, std::int32_t* sums) {
    std::int64_t quads = (p.segment_depth + 3) / 4;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += kPanel * 4) {
        for (std::int64_t r = 0; r < rows; ++r) {
          const std::uint8_t* x = in + r * p.input_step;
          for (std::int64_t m = 0; m < kPanel; ++m) {
            const std::int8_t* w = weights + m * 4;
            // Around: sums of the shifted bytes may leave int32 where the program's do not.
            std::int32_t products = x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
            std::int32_t& sum = sums[r * kPanel + m];
            sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) +
                                            static_cast<std::uint32_t>(products));
          }
        }
      }
    }
  }
};

}  // namespace

void dot_u8s8_s32_4x8_scalar(const DotParams& p);
void dot_u8s8_s32_4x8_scalar(const DotParams& p) { run_tiles<ScalarTile>(p); }

}  // namespace zeropoint::kernels
