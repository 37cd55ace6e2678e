#pragma once

// From 32-bit sums to what a run stores. Internal linkage: only files compiled for AVX-512 include it.

#include <immintrin.h>

#include "kernels/dot/dot.h"
#include "kernels/epilogue_avx512.h"

namespace zeropoint::kernels {
namespace {

/// A mask of the first `count` of 16 lanes.
inline __mmask16 lanes(std::int64_t count) {
  return count >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << (count < 0 ? 0 : count)) - 1);
}

/// One position on its way out; nowhere where it lies in a gap.
struct Target {
  std::ptrdiff_t output;
  std::ptrdiff_t other;
  bool stored;
};

inline void store_bytes(std::uint8_t* to, __m256i bytes, std::int64_t count) {
  if (count >= 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
  } else {
    _mm256_mask_storeu_epi8(to, static_cast<__mmask32>((1ULL << count) - 1), bytes);
  }
}

/// kVectors times 16 channels from `channel` on of two positions: 64 bytes are made at once.
template <int kVectors>
inline void store_pair(const DotParams& p, const WideEpilogue& epilogue, std::int64_t channel,
                       const __m512 (&multipliers)[kVectors], const __m512i (&a)[kVectors],
                       const Target& to_a, const __m512i (&b)[kVectors], const Target& to_b) {
  static_assert(kVectors == 1 || kVectors == 2);
  std::int64_t count = p.channels - channel;
  const __m512i zero = _mm512_setzero_si512();
  __m512i q[2][2] = {{zero, zero}, {zero, zero}};
  auto other = [&](const Target& to, int v) {
    return epilogue.kind == EpilogueKind::kAdd && to.stored
               ? _mm_maskz_loadu_epi8(lanes(count - v * 16), p.other + to.other + channel + v * 16)
               : _mm_setzero_si128();
  };
  for (int v = 0; v < kVectors; ++v) {
    q[0][v] = epilogue.rounded(a[v], multipliers[v], other(to_a, v));
    q[1][v] = epilogue.rounded(b[v], multipliers[v], other(to_b, v));
  }
  __m512i bytes = epilogue.in_order(q[0][0], q[0][1], q[1][0], q[1][1]);
  std::uint8_t* output = static_cast<std::uint8_t*>(p.output) + channel;
  std::int64_t stored = count < kVectors * 16 ? count : kVectors * 16;
  if (to_a.stored) {
    store_bytes(output + to_a.output, _mm512_castsi512_si256(bytes), stored);
  }
  if (to_b.stored) {
    store_bytes(output + to_b.output, _mm512_extracti64x4_epi64(bytes, 1), stored);
  }
}

}  // namespace
}  // namespace zeropoint::kernels
