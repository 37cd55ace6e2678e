#pragma once

// From 8 sums to 8 bytes in registers of 256 bits. Internal linkage: only files compiled for AVX2 include it.

#include <immintrin.h>

#include <cstring>

#include "kernels/dot/dot.h"

namespace zeropoint::kernels {
namespace {

/// clamp(q + shift, low, high) of rounded integers, as bytes.
inline __m128i bytes_of(__m256i q, std::int32_t shift, std::uint8_t low, std::uint8_t high) {
  __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
  words = _mm_adds_epi16(words, _mm_set1_epi16(static_cast<short>(shift)));
  __m128i bytes = _mm_packus_epi16(words, words);
  bytes = _mm_max_epu8(bytes, _mm_set1_epi8(static_cast<char>(low)));
  return _mm_min_epu8(bytes, _mm_set1_epi8(static_cast<char>(high)));
}

inline __m256 reals_of(__m128i bytes, std::int32_t shift) {
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepu8_epi32(bytes), _mm256_set1_epi32(shift)));
}

/// store_panel() of store_loops.h for panels of 8.
inline void store_panel_256(const DotParams& p, std::int64_t first, std::int64_t count, std::ptrdiff_t output,
                            std::ptrdiff_t other, const std::int32_t* sums) {
  const Epilogue& e = *p.epilogue;
  if (e.kind == EpilogueKind::kAccumulators) {
    std::memcpy(static_cast<std::int32_t*>(p.output) + output + first, sums,
                static_cast<std::size_t>(4 * count));
    return;
  }
  __m256i acc = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums));
  __m256 multipliers = _mm256_loadu_ps(e.multipliers + first);
  __m256i q = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), multipliers));
  __m128i bytes = bytes_of(q, e.zero_point, e.low, e.high);
  if (e.kind == EpilogueKind::kAdd) {
    std::uint64_t its = 0;
    std::memcpy(&its, p.other + other + first, static_cast<std::size_t>(count));
    __m256 own = _mm256_mul_ps(reals_of(bytes, e.own_shift), _mm256_set1_ps(e.own_scale));
    __m256 others = _mm256_mul_ps(reals_of(_mm_cvtsi64_si128(static_cast<long long>(its)), e.other_shift),
                                  _mm256_set1_ps(e.other_scale));
    __m256 fixed = _mm256_set1_ps(e.fixed);
    __m256 sum = e.own_first ? _mm256_add_ps(own, _mm256_add_ps(others, fixed))
                             : _mm256_add_ps(others, _mm256_add_ps(own, fixed));
    bytes = bytes_of(_mm256_cvtps_epi32(sum), e.sum_shift, e.sum_low, e.sum_high);
  }
  auto eight = static_cast<std::uint64_t>(_mm_cvtsi128_si64(bytes));
  std::uint8_t* to = static_cast<std::uint8_t*>(p.output) + output + first;
  if (count == 8) {
    std::memcpy(to, &eight, 8);
  } else {
    std::memcpy(to, &eight, static_cast<std::size_t>(count));
  }
}

}  // namespace
}  // namespace zeropoint::kernels
