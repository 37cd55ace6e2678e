#pragma once

// From 32-bit sums to what a run stores. Internal linkage: only files compiled for AVX-512 include it.

#include <immintrin.h>

#include "kernels/dot/dot.h"
#include "kernels/dot/walk.h"
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

/// 32 channels from `channel` on of two positions: 64 bytes are made at once.
inline void store_pair(const DotParams& p, const WideEpilogue& epilogue, std::int64_t channel,
                       const __m512 (&multipliers)[2], const __m512i (&a)[2], const Target& to_a,
                       const __m512i (&b)[2], const Target& to_b) {
  std::int64_t count = p.channels - channel;
  __m512i q[2][2];
  auto other = [&](const Target& to, int v) {
    return epilogue.kind == EpilogueKind::kAdd && to.stored
               ? _mm_maskz_loadu_epi8(lanes(count - v * 16), p.other + to.other + channel + v * 16)
               : _mm_setzero_si128();
  };
  for (int v = 0; v < 2; ++v) {
    q[0][v] = epilogue.rounded(a[v], multipliers[v], other(to_a, v));
    q[1][v] = epilogue.rounded(b[v], multipliers[v], other(to_b, v));
  }
  __m512i bytes = epilogue.in_order(q[0][0], q[0][1], q[1][0], q[1][1]);
  std::uint8_t* output = static_cast<std::uint8_t*>(p.output) + channel;
  if (to_a.stored) {
    store_bytes(output + to_a.output, _mm512_castsi512_si256(bytes), count);
  }
  if (to_b.stored) {
    store_bytes(output + to_b.output, _mm512_extracti64x4_epi64(bytes, 1), count);
  }
}

/// The same of one vector of four positions.
inline void store_four(const DotParams& p, const WideEpilogue& epilogue, std::int64_t channel,
                       __m512 multipliers, const __m512i (&sums)[4], const Target (&to)[4]) {
  __mmask16 mask = lanes(p.channels - channel);
  __m512i q[4];
  for (int i = 0; i < 4; ++i) {
    __m128i other = epilogue.kind == EpilogueKind::kAdd && to[i].stored
                        ? _mm_maskz_loadu_epi8(mask, p.other + to[i].other + channel)
                        : _mm_setzero_si128();
    q[i] = epilogue.rounded(sums[i], multipliers, other);
  }
  __m512i bytes = epilogue.in_order(q[0], q[1], q[2], q[3]);
  std::uint8_t* output = static_cast<std::uint8_t*>(p.output) + channel;
  __m128i rows[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                     _mm512_extracti32x4_epi32(bytes, 2), _mm512_extracti32x4_epi32(bytes, 3)};
  for (int i = 0; i < 4; ++i) {
    if (to[i].stored) {
      _mm_mask_storeu_epi8(output + to[i].output, mask, rows[i]);
    }
  }
}

/// Up to `rows` positions wherever they go, with `vectors` (1 or 2) vectors of channels from `channel` on;
/// their sums in memory, `stride` apart.
template <int kMost>
[[gnu::noinline]] void store_any(const DotParams& p, const WideEpilogue& epilogue, std::int64_t channel,
                                 int vectors, int rows, Targets<kMost>& targets, const std::int32_t* sums,
                                 std::ptrdiff_t stride) {
  if (targets.in_row) {
    spread(p, rows, targets);
  }
  if (epilogue.kind == EpilogueKind::kAccumulators) {
    auto* output = static_cast<std::int32_t*>(p.output) + channel;
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < vectors && targets.stored[r]; ++v) {
        _mm512_mask_storeu_epi32(output + targets.output[r] + v * 16, lanes(p.channels - channel - v * 16),
                                 _mm512_load_si512(sums + r * stride + v * 16));
      }
    }
    return;
  }
  auto target = [&](int r) {
    return r < rows ? Target{targets.output[r], targets.other[r], targets.stored[r]} : Target{0, 0, false};
  };
  auto vector = [&](int r, int v) { return _mm512_load_si512(sums + (r < rows ? r : 0) * stride + v * 16); };
  __m512 multipliers[2] = {_mm512_loadu_ps(p.epilogue->multipliers + channel), _mm512_setzero_ps()};
  if (vectors == 1) {
    for (int r = 0; r < rows; r += 4) {
      store_four(p, epilogue, channel, multipliers[0],
                 {vector(r, 0), vector(r + 1, 0), vector(r + 2, 0), vector(r + 3, 0)},
                 {target(r), target(r + 1), target(r + 2), target(r + 3)});
    }
    return;
  }
  multipliers[1] = _mm512_loadu_ps(p.epilogue->multipliers + channel + 16);
  for (int r = 0; r < rows; r += 2) {
    store_pair(p, epilogue, channel, multipliers, {vector(r, 0), vector(r, 1)}, target(r),
               {vector(r + 1, 0), vector(r + 1, 1)}, target(r + 1));
  }
}

/// Neighbouring positions of a row, with one vector of channels from `channel` on or two whole ones.
/// vector(r, v): the sums of a row.
template <int kVectors, typename Vector>
[[gnu::always_inline]] inline void store_whole(const DotParams& p, const WideEpilogue& epilogue,
                                               std::int64_t channel, std::ptrdiff_t output_at, int rows,
                                               Vector&& vector) {
  constexpr int kAtOnce = kVectors == 1 ? 4 : 2;  // rows whose bytes fill a register
  static_assert(kVectors <= 2);
  std::uint8_t* output = static_cast<std::uint8_t*>(p.output) + output_at + channel;
  std::ptrdiff_t step = p.output_step;
  __mmask16 mask = lanes(p.channels - channel);
  bool dense = step == kVectors * 16 && (kVectors == 2 || mask == 0xFFFF);
  __m512 multipliers[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    multipliers[v] = _mm512_loadu_ps(p.epilogue->multipliers + channel + v * 16);
  }
  for (int row = 0; row < rows; row += kAtOnce) {
    __m512i q[4];
    for (int i = 0; i < 4; ++i) {
      int v = i % kVectors;
      int r = row + i / kVectors < rows ? row + i / kVectors : rows - 1;
      q[i] = WideEpilogue::requantized(vector(r, v), multipliers[v]);
    }
    __m512i bytes = epilogue.in_order(q[0], q[1], q[2], q[3]);
    std::uint8_t* to = output + row * step;
    if (row + kAtOnce <= rows && dense) {
      _mm512_storeu_si512(to, bytes);
      continue;
    }
    if constexpr (kVectors == 2) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bytes));
      if (row + 1 < rows) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + step), _mm512_extracti64x4_epi64(bytes, 1));
      }
    } else {
      const __m128i quarters[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                                   _mm512_extracti32x4_epi32(bytes, 2), _mm512_extracti32x4_epi32(bytes, 3)};
      for (int i = 0; i < 4 && row + i < rows; ++i) {
        _mm_mask_storeu_epi8(to + i * step, mask, quarters[i]);
      }
    }
  }
}

/// The same of sums in memory, `stride` apart: for tiles of all sizes.
template <int kVectors>
[[gnu::noinline]] void store_rows(const DotParams& p, const WideEpilogue& epilogue, std::int64_t channel,
                                  std::ptrdiff_t output_at, int rows, const std::int32_t* sums,
                                  std::ptrdiff_t stride) {
  store_whole<kVectors>(p, epilogue, channel, output_at, rows,
                        [&](int r, int v) { return _mm512_load_si512(sums + r * stride + v * 16); });
}

}  // namespace
}  // namespace zeropoint::kernels
