#include <algorithm>
#include <cstring>

#include "kernels/dot/dot.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace zeropoint::kernels {
namespace {

/// Stands for rows that are not there: zeros, once 128 is taken from each byte.
constexpr std::int64_t kMostChannels = 64;  // of a panel
struct NoRow {
  std::uint8_t bytes[kMostChannels];

  constexpr NoRow() : bytes() {
    for (std::uint8_t& byte : bytes) {
      byte = 128;
    }
  }
};
constexpr NoRow kNoRow;

/// Four rows of `count` bytes, each less 128, interleaved.
void interleave(const std::uint8_t* const (&rows)[4], std::int64_t count, std::int8_t* to) {
  std::int64_t i = 0;
#if defined(__SSE2__)
  const __m128i half = _mm_set1_epi8(static_cast<char>(0x80));
  for (; i + 16 <= count; i += 16) {
    __m128i x[4];
    for (int r = 0; r < 4; ++r) {
      x[r] = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + i)), half);
    }
    __m128i low[2] = {_mm_unpacklo_epi8(x[0], x[1]), _mm_unpacklo_epi8(x[2], x[3])};
    __m128i high[2] = {_mm_unpackhi_epi8(x[0], x[1]), _mm_unpackhi_epi8(x[2], x[3])};
    auto* out = reinterpret_cast<__m128i*>(to + 4 * i);
    _mm_storeu_si128(out, _mm_unpacklo_epi16(low[0], low[1]));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(low[0], low[1]));
    _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(high[0], high[1]));
    _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(high[0], high[1]));
  }
#endif
  for (; i < count; ++i) {
    for (int r = 0; r < 4; ++r) {
      to[4 * i + r] = static_cast<std::int8_t>(rows[r][i] - 128);
    }
  }
}

}  // namespace

void pack_dot_operand(const std::uint8_t* matrix, std::int64_t depth, std::int64_t channels,
                      std::int64_t panel, std::int64_t unit, std::int8_t* packed) {
  std::int64_t filled = (depth + unit - 1) / unit * unit;
  for (std::int64_t first = 0; first < channels; first += panel) {
    std::int64_t count = std::min(panel, channels - first);
    for (std::int64_t k = 0; k < filled; k += 4, packed += 4 * panel) {
      const std::uint8_t* rows[4];
      for (std::int64_t r = 0; r < 4; ++r) {
        rows[r] = k + r < depth ? matrix + (k + r) * channels + first : kNoRow.bytes;
      }
      interleave(rows, count, packed);
      std::memset(packed + 4 * count, 0, static_cast<std::size_t>(4 * (panel - count)));
    }
  }
}

}  // namespace zeropoint::kernels
