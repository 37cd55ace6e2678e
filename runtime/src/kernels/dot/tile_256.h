#pragma once

// Tiles of up to 6 positions by 16 channels in registers of 256 bits. Internal linkage: only files compiled
// for AVX2 include it.

#include <immintrin.h>

#include <cstring>

#include "kernels/dot/store_256.h"
#include "kernels/dot/store_loops.h"

namespace zeropoint::kernels {
namespace {

/// Four neighbouring bytes in every lane.
inline __m256i four_bytes(const std::uint8_t* in) {
  std::int32_t bytes;
  std::memcpy(&bytes, in, sizeof bytes);
  return _mm256_set1_epi32(bytes);
}

/// kMultiply(sums, bytes, weights): to 8 sums of int32 the products of four bytes each.
template <__m256i (*kMultiply)(__m256i, __m256i, __m256i)>
struct Tile256 {
  static constexpr auto store = store_panel_256;

  static constexpr std::int64_t kRows = 6;
  static constexpr std::int64_t kPanels = 2;
  static constexpr std::int64_t kPanel = 8;

  template <int kOfRows, int kOfPanels>
  static void of_size(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                      std::ptrdiff_t panel_bytes, std::int32_t* sums) {
    __m256i acc[kOfRows][kOfPanels];
    for (int r = 0; r < kOfRows; ++r) {
      for (int v = 0; v < kOfPanels; ++v) {
        acc[r][v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(sums + (r * kPanels + v) * kPanel));
      }
    }
    std::int64_t quads = (p.segment_depth + 3) / 4;
    std::ptrdiff_t step = p.input_step;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += kPanel * 4) {
        __m256i w[kOfPanels];
        for (int v = 0; v < kOfPanels; ++v) {
          w[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + v * panel_bytes));
        }
        for (int r = 0; r < kOfRows; ++r) {
          __m256i x = four_bytes(in + r * step);
          for (int v = 0; v < kOfPanels; ++v) {
            acc[r][v] = kMultiply(acc[r][v], x, w[v]);
          }
        }
      }
    }
    for (int r = 0; r < kOfRows; ++r) {
      for (int v = 0; v < kOfPanels; ++v) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(sums + (r * kPanels + v) * kPanel), acc[r][v]);
      }
    }
  }

  static void accumulate(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                         std::ptrdiff_t panel_bytes, std::int64_t rows, std::int64_t panels,
                         std::int32_t* sums) {
    using Function =
        void (*)(const DotParams&, const std::uint8_t*, const std::int8_t*, std::ptrdiff_t, std::int32_t*);
    static constexpr Function kFunctions[kRows][kPanels] = {
        {of_size<1, 1>, of_size<1, 2>}, {of_size<2, 1>, of_size<2, 2>}, {of_size<3, 1>, of_size<3, 2>},
        {of_size<4, 1>, of_size<4, 2>}, {of_size<5, 1>, of_size<5, 2>}, {of_size<6, 1>, of_size<6, 2>}};
    kFunctions[rows - 1][panels - 1](p, input, weights, panel_bytes, sums);
  }
};

}  // namespace
}  // namespace zeropoint::kernels
