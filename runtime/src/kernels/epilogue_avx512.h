#pragma once

// The epilogue on 16 accumulators at once. Internal linkage: only files compiled for AVX-512 include it.

#include <immintrin.h>

#include "kernels/epilogue.h"

namespace zeropoint::kernels {
namespace {

/// An epilogue's numbers in registers.
struct WideEpilogue {
  EpilogueKind kind;
  __m512i last_shift;  ///< int16: zero point or shift of what is stored
  __m512i last_low;    ///< uint8
  __m512i last_high;
  // Of the requantization before an addition, int32.
  __m512i zero_point;
  __m512i low;
  __m512i high;
  __m512i own_shift;
  __m512i other_shift;
  __m512 own_scale;
  __m512 other_scale;
  __m512 fixed;
  bool own_first;
  bool shifts;  ///< last_shift is not 0
  bool clamps;  ///< the last clamp is not all of uint8

  explicit WideEpilogue(const Epilogue& e)
      : kind(e.kind),
        last_shift(
            _mm512_set1_epi16(static_cast<short>(e.kind == EpilogueKind::kAdd ? e.sum_shift : e.zero_point))),
        last_low(_mm512_set1_epi8(static_cast<char>(e.kind == EpilogueKind::kAdd ? e.sum_low : e.low))),
        last_high(_mm512_set1_epi8(static_cast<char>(e.kind == EpilogueKind::kAdd ? e.sum_high : e.high))),
        zero_point(_mm512_set1_epi32(e.zero_point)),
        low(_mm512_set1_epi32(e.low)),
        high(_mm512_set1_epi32(e.high)),
        own_shift(_mm512_set1_epi32(e.own_shift)),
        other_shift(_mm512_set1_epi32(e.other_shift)),
        own_scale(_mm512_set1_ps(e.own_scale)),
        other_scale(_mm512_set1_ps(e.other_scale)),
        fixed(_mm512_set1_ps(e.fixed)),
        own_first(e.own_first),
        shifts((e.kind == EpilogueKind::kAdd ? e.sum_shift : e.zero_point) != 0),
        clamps(e.kind == EpilogueKind::kAdd ? e.sum_low > 0 || e.sum_high < 255 : e.low > 0 || e.high < 255) {
  }

  /// round(float(acc) * multiplier)
  static __m512i requantized(__m512i accumulators, __m512 multipliers) {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(accumulators), multipliers));
  }

  /// The same, and with kAdd the rounded sum with 16 elements of the other operand.
  __m512i rounded(__m512i accumulators, __m512 multipliers, __m128i other) const {
    __m512i q = requantized(accumulators, multipliers);
    return kind == EpilogueKind::kAdd ? sum(q, other) : q;
  }

  __m512i sum(__m512i q, __m128i other) const {
    q = _mm512_min_epi32(_mm512_max_epi32(_mm512_add_epi32(q, zero_point), low), high);
    __m512 own = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(q, own_shift)), own_scale);
    __m512i p = _mm512_sub_epi32(_mm512_cvtepu8_epi32(other), other_shift);
    __m512 its = _mm512_mul_ps(_mm512_cvtepi32_ps(p), other_scale);
    __m512 sum = own_first ? _mm512_add_ps(own, _mm512_add_ps(its, fixed))
                           : _mm512_add_ps(its, _mm512_add_ps(own, fixed));
    return _mm512_cvtps_epi32(sum);
  }

  /// Four vectors of 16 rounded integers as 64 bytes; in lane L lie elements 4 L .. 4 L + 3 of each vector.
  __m512i narrowed(__m512i a, __m512i b, __m512i c, __m512i d) const {
    __m512i low_half = _mm512_packs_epi32(a, b);
    __m512i high_half = _mm512_packs_epi32(c, d);
    if (shifts) {
      low_half = _mm512_adds_epi16(low_half, last_shift);
      high_half = _mm512_adds_epi16(high_half, last_shift);
    }
    __m512i bytes = _mm512_packus_epi16(low_half, high_half);
    return clamps ? _mm512_min_epu8(_mm512_max_epu8(bytes, last_low), last_high) : bytes;
  }

  /// The same in their order: a, b, c, d.
  __m512i in_order(__m512i a, __m512i b, __m512i c, __m512i d) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, narrowed(a, b, c, d));
  }
};

}  // namespace
}  // namespace zeropoint::kernels
