#pragma once

// The epilogue on 8 accumulators at once. Internal linkage: only files compiled for AVX2 include it.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/epilogue.h"

namespace zeropoint::kernels {
namespace {

constexpr std::ptrdiff_t kLanes = 8;  ///< of 32 bits

/// An epilogue's numbers in registers.
struct Epilogue256 {
  static constexpr float kWhole = 12582912.0F;  ///< 1.5 * 2^23: has no fractions

  EpilogueKind kind;
  __m256i last_shift;  ///< int16: zero point or shift of what is stored
  __m256i last_low;    ///< uint8
  __m256i last_high;
  // Of the requantization before an addition, from the zero point on.
  __m256 low;
  __m256 high;
  __m256 own_shift;  ///< and kWhole
  __m256i other_shift;
  __m256 own_scale;
  __m256 other_scale;
  __m256 fixed;
  bool own_first;

  explicit Epilogue256(const Epilogue& e) : kind(e.kind), own_first(e.own_first) {
    bool adds = e.kind == EpilogueKind::kAdd;
    last_shift = _mm256_set1_epi16(static_cast<short>(adds ? e.sum_shift : e.zero_point));
    last_low = _mm256_set1_epi8(static_cast<char>(adds ? e.sum_low : e.low));
    last_high = _mm256_set1_epi8(static_cast<char>(adds ? e.sum_high : e.high));
    low = _mm256_set1_ps(static_cast<float>(e.low - e.zero_point));
    high = _mm256_set1_ps(static_cast<float>(e.high - e.zero_point));
    own_shift = _mm256_set1_ps(kWhole + static_cast<float>(e.own_shift - e.zero_point));
    other_shift = _mm256_set1_epi32(e.other_shift);
    own_scale = _mm256_set1_ps(e.own_scale);
    other_scale = _mm256_set1_ps(e.other_scale);
    fixed = _mm256_set1_ps(e.fixed);
  }

  /// float(acc) * multiplier
  static __m256 scaled(__m256i accumulators, __m256 multipliers) {
    return _mm256_mul_ps(_mm256_cvtepi32_ps(accumulators), multipliers);
  }

  static __m256i requantized(__m256i accumulators, __m256 multipliers) {
    return _mm256_cvtps_epi32(scaled(accumulators, multipliers));
  }

  /// The rounded sum of the same, requantized, and of 8 bytes of the other operand. Clamped first, reals are
  /// small enough for an addition to round them, as in epilogue_scalar.h.
  [[nodiscard]] __m256i sum(__m256i accumulators, __m256 multipliers, __m128i other) const {
    __m256 q = _mm256_min_ps(_mm256_max_ps(scaled(accumulators, multipliers), low), high);
    q = _mm256_sub_ps(_mm256_add_ps(q, _mm256_set1_ps(kWhole)), own_shift);
    __m256 own = _mm256_mul_ps(q, own_scale);
    __m256i p = _mm256_sub_epi32(_mm256_cvtepu8_epi32(other), other_shift);
    __m256 its = _mm256_mul_ps(_mm256_cvtepi32_ps(p), other_scale);
    __m256 sum = own_first ? _mm256_add_ps(own, _mm256_add_ps(its, fixed))
                           : _mm256_add_ps(its, _mm256_add_ps(own, fixed));
    return _mm256_cvtps_epi32(sum);
  }

  /// Four vectors of 8 rounded integers as 32 bytes in their order.
  [[nodiscard]] __m256i bytes(const __m256i (&q)[4]) const {
    __m256i words[2] = {_mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), last_shift),
                        _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), last_shift)};
    __m256i bytes = _mm256_packus_epi16(words[0], words[1]);
    bytes = _mm256_min_epu8(_mm256_max_epu8(bytes, last_low), last_high);
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
};

[[gnu::noinline, maybe_unused]] __m128i load_some(const std::uint8_t* from, std::int64_t count) {
  alignas(16) std::uint8_t bytes[16] = {};
  std::memcpy(bytes, from, static_cast<std::size_t>(count));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

[[gnu::noinline]] void store_some(std::uint8_t* to, __m128i bytes, std::int64_t count) {
  alignas(16) std::uint8_t all[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  std::memcpy(to, all, static_cast<std::size_t>(count));
}

/// `count` bytes, at most 16.
[[maybe_unused]] inline __m128i load_bytes(const std::uint8_t* from, std::int64_t count) {
  if (count == 16) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  return count == 8 ? _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)) : load_some(from, count);
}

inline void store_bytes(std::uint8_t* to, __m128i bytes, std::int64_t count) {
  if (count == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  } else if (count == 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
  } else {
    store_some(to, bytes, count);
  }
}

}  // namespace
}  // namespace zeropoint::kernels
