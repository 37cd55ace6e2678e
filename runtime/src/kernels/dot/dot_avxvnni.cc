#include "kernels/dot/tile_256.h"

namespace zeropoint::kernels {
namespace {

inline __m256i multiply(__m256i sums, __m256i bytes, __m256i weights) {
  return _mm256_dpbusd_avx_epi32(sums, bytes, weights);
}

}  // namespace

void dot_u8s8_s32_6x16_avxvnni(const DotParams& p);
void dot_u8s8_s32_6x16_avxvnni(const DotParams& p) { run_tiles_256(p, Tile256<multiply>::accumulate); }

}  // namespace zeropoint::kernels
