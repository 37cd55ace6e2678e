// AVX2 has no exact product of uint8 and int8: vpmaddubsw adds two in int16 and saturates. Constant weights
// are split so that it cannot, and some quads multiplied twice; for others bytes are widened to int16 first.

#include "kernels/dot/tile_256.h"

namespace zeropoint::kernels {
namespace {

inline __m256i multiply(__m256i sums, __m256i bytes, __m256i weights) {
  __m256i pairs = _mm256_maddubs_epi16(bytes, weights);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

struct SplitTile : Tile256<multiply> {
  template <int kOfRows>
  static void rest_of_size(const DotParams& p, const std::uint8_t* input, std::int64_t panel,
                           std::int32_t* sums) {
    std::int32_t begin = p.rest->begin[static_cast<std::size_t>(panel)];
    std::int32_t end = p.rest->begin[static_cast<std::size_t>(panel) + 1];
    const auto* weights = reinterpret_cast<const __m256i*>(p.rest->weights.data()) + begin;
    auto sum_of = [&](int r) { return reinterpret_cast<__m256i*>(sums + r * kPanels * kPanel); };
    __m256i acc[kOfRows];
    for (int r = 0; r < kOfRows; ++r) {
      acc[r] = _mm256_load_si256(sum_of(r));
    }
    for (std::int32_t i = begin; i < end; ++i, ++weights) {
      __m256i w = _mm256_loadu_si256(weights);
      const std::uint8_t* in = input + p.rest_at[i];
      for (int r = 0; r < kOfRows; ++r) {
        acc[r] = multiply(acc[r], four_bytes(in + r * p.input_step), w);
      }
    }
    for (int r = 0; r < kOfRows; ++r) {
      _mm256_store_si256(sum_of(r), acc[r]);
    }
  }

  static void accumulate_rest(const DotParams& p, const std::uint8_t* input, std::int64_t first_panel,
                              std::int64_t rows, std::int64_t panels, std::int32_t* sums) {
    using Function = void (*)(const DotParams&, const std::uint8_t*, std::int64_t, std::int32_t*);
    static constexpr Function kFunctions[kRows] = {rest_of_size<1>, rest_of_size<2>, rest_of_size<3>,
                                                   rest_of_size<4>, rest_of_size<5>, rest_of_size<6>};
    for (std::int64_t v = 0; v < panels; ++v) {
      kFunctions[rows - 1](p, input, first_panel + v, sums + v * kPanel);
    }
  }
};

/// Sums of two products for each half of four bytes, joined at the end.
struct WideTile : FourRows<WideTile> {
  static constexpr auto store = store_panel_256;
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
          __m256i x = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(four_bytes(in + r * step)));
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
void dot_u8s8_s32_6x16_avx2(const DotParams& p) { run_tiles<SplitTile>(p); }

void dot_u8s8_s32_4x8_wide_avx2(const DotParams& p);
void dot_u8s8_s32_4x8_wide_avx2(const DotParams& p) { run_tiles<WideTile>(p); }

}  // namespace zeropoint::kernels
