#pragma once

// Bytes of three planes brought to pixels. Internal linkage: only files compiled for SSSE3 or more include
// it.

#include <immintrin.h>

#include <cstdint>

namespace zeropoint::kernels {
namespace {

/// Where the bytes of three planes go among 48: byte i is element i / 3 of plane i % 3.
struct PixelOrder {
  alignas(16) std::uint8_t of[3][3][16] = {};  ///< [plane][vector of the result]

  constexpr PixelOrder() {
    for (int p = 0; p < 3; ++p) {
      for (int i = 0; i < 48; ++i) {
        of[p][i / 16][i % 16] = static_cast<std::uint8_t>(i % 3 == p ? i / 3 : 0x80);
      }
    }
  }
};
constexpr PixelOrder kPixelOrder;

/// One of the three vectors of 16 pixels.
inline __m128i pixels_of(const __m128i (&planes)[3], int vector) {
  auto part = [&](int p) {
    const auto* order = reinterpret_cast<const __m128i*>(kPixelOrder.of[p][vector]);
    return _mm_shuffle_epi8(planes[p], _mm_load_si128(order));
  };
  return _mm_or_si128(_mm_or_si128(part(0), part(1)), part(2));
}

}  // namespace
}  // namespace zeropoint::kernels
