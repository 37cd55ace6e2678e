// AVX2 has no exact product of uint8 and int8: vpmaddubsw adds two in int16 and saturates. Constant weights
// are split so that it cannot, and a rest is multiplied apart: as they come, or where that leaves too much in
// orders in which they split well. For any others bytes are widened to int16 first.

#include "kernels/dot/tile_256.h"

namespace zeropoint::kernels {
namespace {

inline __m256i multiply_split(__m256i sums, __m256i bytes, __m256i weights) {
  __m256i pairs = _mm256_maddubs_epi16(bytes, weights);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/// 16 neighbouring bytes in both halves.
inline __m256i sixteen_bytes(const std::uint8_t* in) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in)));
}

/// Bytes of a window, each channel's own, times their weights.
template <int kOfRows>
void rest_of_size(const DotParams& p, const TileStart& start, std::int32_t* sums) {
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
        __m256i x = _mm256_shuffle_epi8(sixteen_bytes(in + r * step), order);
        words[r] = _mm256_add_epi16(words[r], _mm256_maddubs_epi16(x, w));
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

/// A tile and then the rest of its weights.
template <typename Tile>
struct WithRest {
  static void accumulate(const DotParams& p, const TileStart& start, int rows, int panels,
                         std::int32_t* sums) {
    Tile::accumulate(p, start, rows, panels, sums);
    const std::int32_t* groups = p.rest->begin.data() + start.channel / DotRest::kChannels;
    if (groups[0] == groups[1]) {
      return;
    }
    static constexpr TileFunction kRest[kTileRows] = {rest_of_size<1>, rest_of_size<2>, rest_of_size<3>,
                                                      rest_of_size<4>, rest_of_size<5>, rest_of_size<6>};
    kRest[rows - 1](p, start, sums);
  }
};

/// Weights in orders of their own: see order_weights.h.
struct OrderedTile : AnySize<OrderedTile> {
  template <int kOfRows, int kOfPanels>
  static void of_size(const DotParams& p, const TileStart& start, std::int32_t* sums) {
    __m256i acc[kOfRows][kOfPanels];
    load_bias(start.bias, acc);
    const std::int8_t* weights = start.weights;
    const std::int8_t* order = p.rest->order.data() + (weights - p.weights);
    std::ptrdiff_t panel_bytes = start.panel_bytes;
    std::int64_t quads = (p.segment_depth + 3) / 4;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = start.input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, weights += 32, order += 32) {
        const std::uint8_t* block = in + k / 4 * 16;
#pragma GCC unroll 6
        for (int r = 0; r < kOfRows; ++r) {
          __m256i x = sixteen_bytes(block + r * p.input_step);
#pragma GCC unroll 6
          for (int v = 0; v < kOfPanels; ++v) {
            __m256i own = _mm256_shuffle_epi8(x, load_256(order + v * panel_bytes));
            acc[r][v] = multiply_split(acc[r][v], own, load_256(weights + v * panel_bytes));
          }
        }
      }
    }
    store_sums(acc, sums);
  }
};

/// Any weights: they and the bytes become int16, even and odd ones apart. A piece of the input is widened for
/// all that it is multiplied by.
struct WideTile : AnySize<WideTile> {
  static constexpr std::int64_t kQuads = 64;  ///< of a piece

  using Half = std::uint8_t[kTileRows][4 * kQuads];
  struct Piece {
    alignas(32) Half even, odd;
  };

  [[gnu::noinline]] static void widen(const std::uint8_t* in, std::ptrdiff_t step, int rows,
                                      std::int64_t quads, Piece& piece) {
    for (int r = 0; r < rows; ++r, in += step) {
      for (std::int64_t i = 0; i < 4 * quads; i += 32) {
        __m256i x = load_256(in + i);
        _mm256_store_si256(reinterpret_cast<__m256i*>(piece.even[r] + i),
                           _mm256_and_si256(x, _mm256_set1_epi16(0xFF)));
        _mm256_store_si256(reinterpret_cast<__m256i*>(piece.odd[r] + i), _mm256_srli_epi16(x, 8));
      }
    }
  }

  template <bool kOdd, int kOfRows, int kOfPanels>
  static void multiply(const Half& half, const std::int8_t* weights, std::ptrdiff_t panel_bytes,
                       std::int64_t quads, __m256i (&acc)[kOfRows][kOfPanels]) {
    for (std::int64_t k = 0; k < quads; ++k, weights += 32) {
      __m256i w[kOfPanels];
#pragma GCC unroll 6
      for (int v = 0; v < kOfPanels; ++v) {
        w[v] = load_256(weights + v * panel_bytes);
        w[v] = _mm256_srai_epi16(kOdd ? w[v] : _mm256_slli_epi16(w[v], 8), 8);
      }
#pragma GCC unroll 6
      for (int r = 0; r < kOfRows; ++r) {
        __m256i x = four_bytes(half[r] + 4 * k);
#pragma GCC unroll 6
        for (int v = 0; v < kOfPanels; ++v) {
          acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(x, w[v]));
        }
      }
    }
  }

  template <int kOfRows, int kOfPanels>
  static void of_size(const DotParams& p, const TileStart& start, std::int32_t* sums) {
    __m256i acc[kOfRows][kOfPanels];
    load_bias(start.bias, acc);
    Piece piece;
    const std::int8_t* weights = start.weights;
    std::int64_t all = (p.segment_depth + 3) / 4;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      for (std::int64_t begin = 0; begin < all; begin += kQuads) {
        std::int64_t quads = std::min(kQuads, all - begin);
        widen(start.input + p.segments[s] + 4 * begin, p.input_step, kOfRows, quads, piece);
        multiply<false>(piece.even, weights, start.panel_bytes, quads, acc);
        multiply<true>(piece.odd, weights, start.panel_bytes, quads, acc);
        weights += 32 * quads;
      }
    }
    store_sums(acc, sums);
  }
};

}  // namespace

void dot_u8s8_s32_6x16_avx2(const DotParams& p);
void dot_u8s8_s32_6x16_avx2(const DotParams& p) {
  run_tiles_256(p, WithRest<Tile256<multiply_split>>::accumulate);
}

void dot_u8s8_s32_6x16_ordered_avx2(const DotParams& p);
void dot_u8s8_s32_6x16_ordered_avx2(const DotParams& p) {
  run_tiles_256(p, WithRest<OrderedTile>::accumulate);
}

void dot_u8s8_s32_6x16_wide_avx2(const DotParams& p);
void dot_u8s8_s32_6x16_wide_avx2(const DotParams& p) { run_tiles_256(p, WideTile::accumulate); }

}  // namespace zeropoint::kernels
