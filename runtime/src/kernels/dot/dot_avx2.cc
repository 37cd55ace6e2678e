// AVX2 has no exact product of uint8 and int8: vpmaddubsw adds two in int16 and saturates. Constant weights
// are split so that it cannot, and a rest is multiplied apart; for others bytes are widened to int16 first.

#include "kernels/dot/tile_256.h"

namespace zeropoint::kernels {
namespace {

inline __m256i multiply_split(__m256i sums, __m256i bytes, __m256i weights) {
  __m256i pairs = _mm256_maddubs_epi16(bytes, weights);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

struct SplitTile : Tile256<multiply_split, 6, 2> {
  /// Adds the rest: bytes of a window, each channel's own, times their weights.
  template <int kOfRows>
  static void rest_of_size(const DotParams& p, const TileStart& start, std::int32_t* sums) {
    const DotRest& rest = *p.rest;
    std::ptrdiff_t step = p.input_step;
    const std::int32_t* groups = rest.begin.data() + start.channel / DotRest::kChannels;
    for (std::int32_t g = groups[0]; g < groups[1]; ++g) {
      __m256i words[kOfRows];
      for (int r = 0; r < kOfRows; ++r) {
        words[r] = _mm256_setzero_si256();
      }
      std::int32_t end = rest.groups[static_cast<std::size_t>(g) + 1];
      for (std::int32_t i = rest.groups[static_cast<std::size_t>(g)]; i < end; ++i) {
        const std::int8_t* window = rest.windows.data() + std::ptrdiff_t{i} * 4 * DotRest::kChannels;
        __m256i order = load_256(window);
        __m256i w = load_256(window + 2 * DotRest::kChannels);
        const std::uint8_t* in = start.input + p.rest_at[i];
        for (int r = 0; r < kOfRows; ++r) {
          __m256i x =
              _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + r * step)));
          words[r] = _mm256_add_epi16(words[r], _mm256_maddubs_epi16(_mm256_shuffle_epi8(x, order), w));
        }
      }
      for (int r = 0; r < kOfRows; ++r) {
        auto* of_row = reinterpret_cast<__m256i*>(sums + r * kTileWidth);
        __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(words[r]));
        __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(words[r], 1));
        _mm256_store_si256(of_row, _mm256_add_epi32(_mm256_load_si256(of_row), low));
        _mm256_store_si256(of_row + 1, _mm256_add_epi32(_mm256_load_si256(of_row + 1), high));
      }
    }
  }

  static void accumulate(const DotParams& p, const TileStart& start, int rows, int panels,
                         std::int32_t* sums) {
    Tile256::accumulate(p, start, rows, panels, sums);
    static constexpr Function kRest[kRows] = {rest_of_size<1>, rest_of_size<2>, rest_of_size<3>,
                                              rest_of_size<4>, rest_of_size<5>, rest_of_size<6>};
    kRest[rows - 1](p, start, sums);
  }
};

/// Even and odd bytes apart, as int16: any weights.
inline __m256i multiply_wide(__m256i sums, __m256i bytes, __m256i weights) {
  __m256i even = _mm256_madd_epi16(_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)),
                                   _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8));
  __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(bytes, 8), _mm256_srai_epi16(weights, 8));
  return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
}

}  // namespace

void dot_u8s8_s32_6x16_avx2(const DotParams& p);
void dot_u8s8_s32_6x16_avx2(const DotParams& p) { run_tiles_256<SplitTile>(p); }

void dot_u8s8_s32_4x16_wide_avx2(const DotParams& p);
void dot_u8s8_s32_4x16_wide_avx2(const DotParams& p) { run_tiles_256<Tile256<multiply_wide, 4, 2>>(p); }

}  // namespace zeropoint::kernels
