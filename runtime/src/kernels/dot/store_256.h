#pragma once

// From tiles of sums to what a run stores, in registers of 256 bits. Internal linkage: only files compiled
// for AVX2 include it.

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/dot/dot.h"
#include "kernels/dot/walk.h"

namespace zeropoint::kernels {
namespace {

/// An epilogue's numbers in registers.
struct Epilogue256 {
  EpilogueKind kind;
  __m256i last_shift;  ///< int16: zero point or shift of what is stored
  __m256i last_low;    ///< uint8
  __m256i last_high;
  // Of the requantization before an addition, int32 from the zero point on.
  __m256i low;
  __m256i high;
  __m256i own_shift;
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
    low = _mm256_set1_epi32(e.low - e.zero_point);
    high = _mm256_set1_epi32(e.high - e.zero_point);
    own_shift = _mm256_set1_epi32(e.own_shift - e.zero_point);
    other_shift = _mm256_set1_epi32(e.other_shift);
    own_scale = _mm256_set1_ps(e.own_scale);
    other_scale = _mm256_set1_ps(e.other_scale);
    fixed = _mm256_set1_ps(e.fixed);
  }

  /// round(float(acc) * multiplier)
  static __m256i requantized(__m256i accumulators, __m256 multipliers) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(accumulators), multipliers));
  }

  /// The rounded sum of what was requantized and 8 bytes of the other operand.
  [[nodiscard]] __m256i sum(__m256i q, __m128i other) const {
    q = _mm256_min_epi32(_mm256_max_epi32(q, low), high);
    __m256 own = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(q, own_shift)), own_scale);
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

constexpr std::int64_t kTileWidth = 16;  ///< channels of a tile, in two vectors
using TileTargets = Targets<6>;

/// `count` bytes, at most kTileWidth.
inline __m128i load_bytes(const std::uint8_t* from, std::int64_t count) {
  if (count == kTileWidth) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  if (count == kTileWidth / 2) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  }
  alignas(16) std::uint8_t bytes[kTileWidth] = {};
  std::copy_n(from, count, bytes);
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

inline void store_bytes(std::uint8_t* to, __m128i bytes, std::int64_t count) {
  if (count == kTileWidth) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    return;
  }
  if (count == kTileWidth / 2) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
    return;
  }
  alignas(16) std::uint8_t all[kTileWidth];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  std::copy_n(all, count, to);
}

/// `rows` positions with `count` channels from `first` on; sums: kTileWidth for each. Two positions are made
/// bytes at once. target(r): where r lies, see Targets.
template <bool kAdd, typename Target>
inline void store_rows(const DotParams& p, const Epilogue256& epilogue, std::int64_t first,
                       std::int64_t count, int rows, const std::int32_t* sums, Target&& target) {
  __m256 multipliers[2] = {_mm256_loadu_ps(p.epilogue->multipliers + first), _mm256_setzero_ps()};
  if (count > 8) {
    multipliers[1] = _mm256_loadu_ps(p.epilogue->multipliers + first + 8);
  }
  for (int r = 0; r < rows; r += 2) {
    int second = r + 1 < rows ? r + 1 : r;
    auto to = target(r);
    auto to_second = target(second);
    __m256i q[4];
    for (int i = 0; i < 4; ++i) {
      const std::int32_t* from = sums + (i < 2 ? r : second) * kTileWidth + i % 2 * 8;
      q[i] = Epilogue256::requantized(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)),
                                      multipliers[i % 2]);
    }
    if constexpr (kAdd) {
      auto other_of = [&](const auto& one) {
        return one.stored ? load_bytes(p.other + one.other + first, count) : _mm_setzero_si128();
      };
      __m128i other = other_of(to);
      q[0] = epilogue.sum(q[0], other);
      q[1] = epilogue.sum(q[1], _mm_unpackhi_epi64(other, other));
      other = other_of(to_second);
      q[2] = epilogue.sum(q[2], other);
      q[3] = epilogue.sum(q[3], _mm_unpackhi_epi64(other, other));
    }
    __m256i bytes = epilogue.bytes(q);
    std::uint8_t* output = static_cast<std::uint8_t*>(p.output) + first;
    if (to.stored) {
      store_bytes(output + to.output, _mm256_castsi256_si128(bytes), count);
    }
    if (second != r && to_second.stored) {
      store_bytes(output + to_second.output, _mm256_extracti128_si256(bytes, 1), count);
    }
  }
}

/// One position on its way out; nowhere where it lies in a gap.
struct Target256 {
  std::ptrdiff_t output;
  std::ptrdiff_t other;
  bool stored;
};

template <bool kAdd>
[[gnu::noinline]] void store_whole(const DotParams& p, const Epilogue256& epilogue, std::int64_t first,
                                   int rows, std::ptrdiff_t output, std::ptrdiff_t other,
                                   const std::int32_t* sums) {
  store_rows<kAdd>(p, epilogue, first, kTileWidth, rows, sums, [&](int r) {
    return Target256{output + r * p.output_step, other + r * p.other_step, true};
  });
}

template <bool kAdd>
[[gnu::noinline]] void store_any(const DotParams& p, const Epilogue256& epilogue, std::int64_t first,
                                 std::int64_t count, int rows, const TileTargets& targets,
                                 const std::int32_t* sums) {
  store_rows<kAdd>(p, epilogue, first, count, rows, sums, [&](int r) {
    return Target256{targets.output[r], targets.other[r], targets.stored[r]};
  });
}

/// Ends a tile.
[[gnu::noinline]] void store_tile(const DotParams& p, const Epilogue256& epilogue, std::int64_t first,
                                  std::int64_t count, int rows, TileTargets& targets,
                                  const std::int32_t* sums) {
  bool adds = epilogue.kind == EpilogueKind::kAdd;
  if (targets.in_row && count == kTileWidth && epilogue.kind != EpilogueKind::kAccumulators) {
    auto* store = adds ? store_whole<true> : store_whole<false>;
    store(p, epilogue, first, rows, targets.output[0], targets.other[0], sums);
    return;
  }
  if (targets.in_row) {
    spread(p, rows, targets);
  }
  if (epilogue.kind != EpilogueKind::kAccumulators) {
    auto* store = adds ? store_any<true> : store_any<false>;
    store(p, epilogue, first, count, rows, targets, sums);
    return;
  }
  for (int r = 0; r < rows; ++r) {
    if (targets.stored[r]) {
      std::copy_n(sums + r * kTileWidth, count,
                  static_cast<std::int32_t*>(p.output) + targets.output[r] + first);
    }
  }
}

}  // namespace
}  // namespace zeropoint::kernels
