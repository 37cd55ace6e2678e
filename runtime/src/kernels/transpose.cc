#include "kernels/transpose.h"

#include <algorithm>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace zeropoint::kernels {
namespace {

/// Both sides of a square; its 16 lines fit the nearest cache whatever their distance.
constexpr std::int64_t kSquare = 16;

#if defined(__SSE2__)
/// Four rounds that interleave line i with line i + 8, each of which moves one bit of a byte's place from the
/// line to the column.
void transpose_square(const std::uint8_t* in, std::ptrdiff_t in_step, std::uint8_t* out,
                      std::ptrdiff_t out_step, std::uint8_t shift) {
  const __m128i added = _mm_set1_epi8(static_cast<char>(shift));
  __m128i lines[kSquare];
  for (std::int64_t i = 0; i < kSquare; ++i) {
    lines[i] = _mm_add_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i * in_step)), added);
  }
  for (int round = 0; round < 4; ++round) {
    __m128i next[kSquare];
    for (std::int64_t i = 0; i < kSquare / 2; ++i) {
      next[2 * i] = _mm_unpacklo_epi8(lines[i], lines[i + kSquare / 2]);
      next[2 * i + 1] = _mm_unpackhi_epi8(lines[i], lines[i + kSquare / 2]);
    }
    std::copy_n(next, kSquare, lines);
  }
  for (std::int64_t i = 0; i < kSquare; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * out_step), lines[i]);
  }
}
#endif

void transpose_piece(const std::uint8_t* in, std::ptrdiff_t in_step, std::uint8_t* out,
                     std::ptrdiff_t out_step, std::int64_t rows, std::int64_t columns, std::uint8_t shift) {
#if defined(__SSE2__)
  if (rows == kSquare && columns == kSquare) {
    return transpose_square(in, in_step, out, out_step, shift);
  }
#endif
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) {
      out[c * out_step + r] = static_cast<std::uint8_t>(in[r * in_step + c] + shift);
    }
  }
}

}  // namespace

void transpose_bytes(const std::uint8_t* in, std::ptrdiff_t in_step, std::uint8_t* out,
                     std::ptrdiff_t out_step, std::int64_t rows, std::int64_t columns, std::uint8_t shift) {
  for (std::int64_t r = 0; r < rows; r += kSquare) {
    for (std::int64_t c = 0; c < columns; c += kSquare) {
      transpose_piece(in + r * in_step + c, in_step, out + c * out_step + r, out_step,
                      std::min(kSquare, rows - r), std::min(kSquare, columns - c), shift);
    }
  }
}

}  // namespace zeropoint::kernels
