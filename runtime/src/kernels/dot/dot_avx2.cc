// AVX2 has no exact product of uint8 and int8: vpmaddubsw adds two in int16 and saturates. Where the weights
// are proven not to let it, it is used; elsewhere bytes are widened to int16 first.

#include "kernels/dot/tile_256.h"

namespace zeropoint::kernels {
namespace {

inline __m256i multiply(__m256i sums, __m256i bytes, __m256i weights) {
  __m256i pairs = _mm256_maddubs_epi16(bytes, weights);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/// Sums of two products for each half of four bytes, joined at the end.
struct WideTile : FourRows<WideTile> {
  static constexpr std::int64_t kRows = 4;
  static constexpr std::int64_t kPanels = 1;
  static constexpr std::int64_t kPanel = 8;

  template <int kOfRows>
  static void of_size(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                      std::int32_t* sums) {
    __m256i acc[kOfRows][2];
    for (int r = 0; r < kOfRows; ++r) {
      acc[r][0] = acc[r][1] = _mm256_setzero_si256();
    }
    std::int64_t quads = (p.segment_depth + 3) / 4;
    std::ptrdiff_t step = p.input_step;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += kPanel * 4) {
        __m256i packed = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
        __m256i low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(packed));
        __m256i high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(packed, 1));
        for (int r = 0; r < kOfRows; ++r) {
          std::int32_t bytes;
          std::memcpy(&bytes, in + r * step, sizeof bytes);
          __m256i x = _mm256_cvtepu8_epi16(_mm_set1_epi32(bytes));
          acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(x, low));
          acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(x, high));
        }
      }
    }
    for (int r = 0; r < kOfRows; ++r) {
      // Channels 0 1 4 5 | 2 3 6 7.
      __m256i joined = _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[r][0], acc[r][1]), 0xD8);
      auto* to = reinterpret_cast<__m256i*>(sums + r * kPanel);
      _mm256_store_si256(to, _mm256_add_epi32(_mm256_load_si256(to), joined));
    }
  }
};

}  // namespace

void dot_u8s8_s32_6x16_avx2(const DotParams& p);
void dot_u8s8_s32_6x16_avx2(const DotParams& p) { run_tiles<Tile256<multiply>>(p); }

void dot_u8s8_s32_4x8_wide_avx2(const DotParams& p);
void dot_u8s8_s32_4x8_wide_avx2(const DotParams& p) { run_tiles<WideTile>(p); }

}  // namespace zeropoint::kernels
