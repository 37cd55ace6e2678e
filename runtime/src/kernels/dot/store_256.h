#pragma once

// From tiles of sums to what a run stores, in registers of 256 bits. Internal linkage: only files compiled
// for AVX2 include it.

#include <immintrin.h>

#include <algorithm>

#include "kernels/dot/dot.h"
#include "kernels/dot/walk.h"
#include "kernels/epilogue_256.h"

namespace zeropoint::kernels {
namespace {

constexpr int kTileRows = 6;
constexpr std::int64_t kTileWidth = 16;  ///< channels of a tile, in two vectors
using TileTargets = Targets<kTileRows>;

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
    __m128i other[2] = {};
    if constexpr (kAdd) {
      auto other_of = [&](const auto& one) {
        return one.stored ? load_bytes(p.other + one.other + first, count) : _mm_setzero_si128();
      };
      other[0] = other_of(to);
      other[1] = other_of(to_second);
    }
    __m256i q[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const std::int32_t* from = sums + (i < 2 ? r : second) * kTileWidth + i % 2 * kLanes;
      __m256i acc = _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
      if constexpr (kAdd) {
        __m128i its = i % 2 == 0 ? other[i / 2] : _mm_unpackhi_epi64(other[i / 2], other[i / 2]);
        q[i] = epilogue.sum(acc, multipliers[i % 2], its);
      } else {
        q[i] = Epilogue256::requantized(acc, multipliers[i % 2]);
      }
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
void store_bytes_of(const DotParams& p, const Epilogue256& epilogue, std::int64_t first, std::int64_t count,
                    int rows, const TileTargets& targets, const std::int32_t* sums) {
  store_rows<kAdd>(p, epilogue, first, count, rows, sums, [&](int r) {
    return Target256{targets.output[r], targets.other[r], targets.stored[r]};
  });
}

/// Ends a tile whose positions lie anywhere, of any channels.
[[gnu::noinline]] void store_any(const DotParams& p, const Epilogue256& epilogue, std::int64_t first,
                                 std::int64_t count, int rows, TileTargets& targets,
                                 const std::int32_t* sums) {
  if (targets.in_row) {
    spread(p, rows, targets);
  }
  if (epilogue.kind != EpilogueKind::kAccumulators) {
    auto* store = epilogue.kind == EpilogueKind::kAdd ? store_bytes_of<true> : store_bytes_of<false>;
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

/// Ends a tile.
inline void store_tile(const DotParams& p, const Epilogue256& epilogue, std::int64_t first,
                       std::int64_t count, int rows, TileTargets& targets, const std::int32_t* sums) {
  if (!targets.in_row || count < kTileWidth || epilogue.kind == EpilogueKind::kAccumulators) {
    store_any(p, epilogue, first, count, rows, targets, sums);
  } else if (epilogue.kind == EpilogueKind::kAdd) {
    store_whole<true>(p, epilogue, first, rows, targets.output[0], targets.other[0], sums);
  } else {
    store_whole<false>(p, epilogue, first, rows, targets.output[0], targets.other[0], sums);
  }
}

}  // namespace
}  // namespace zeropoint::kernels
