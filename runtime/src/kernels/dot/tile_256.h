#pragma once

// Tiles of a few positions by up to 16 channels in registers of 256 bits. Internal linkage: only files
// compiled for AVX2 include it.

#include <immintrin.h>

#include <array>
#include <cstring>
#include <utility>

#include "kernels/dot/store_256.h"
#include "kernels/dot/walk.h"

namespace zeropoint::kernels {
namespace {

/// Four neighbouring bytes in every lane.
inline __m256i four_bytes(const std::uint8_t* in) {
  std::int32_t bytes;
  std::memcpy(&bytes, in, sizeof bytes);
  return _mm256_set1_epi32(bytes);
}

inline __m256i load_256(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

/// Where a tile begins: its first position and channel.
struct TileStart {
  const std::uint8_t* input;
  const std::int8_t* weights;
  const std::int32_t* bias;
  std::ptrdiff_t panel_bytes;
  std::int64_t channel;
};

/// kMultiply(sums, bytes, weights): to 8 sums of int32 the products of four bytes each. Tiles have up to
/// kMostRows positions and kMostPanels panels of 8 channels; their sums have kTileWidth for each position.
template <__m256i (*kMultiply)(__m256i, __m256i, __m256i), int kMostRows, int kMostPanels>
struct Tile256 {
  static constexpr int kRows = kMostRows;
  static constexpr int kPanels = kMostPanels;
  using Function = void (*)(const DotParams&, const TileStart&, std::int32_t*);

  template <int kOfRows, int kOfPanels>
  static void of_size(const DotParams& p, const TileStart& start, std::int32_t* sums) {
    __m256i acc[kOfRows][kOfPanels];
#pragma GCC unroll 6
    for (int v = 0; v < kOfPanels; ++v) {
      __m256i bias = load_256(start.bias + v * 8);
#pragma GCC unroll 6
      for (int r = 0; r < kOfRows; ++r) {
        acc[r][v] = bias;
      }
    }
    const std::int8_t* weights = start.weights;
    std::ptrdiff_t panel_bytes = start.panel_bytes;
    std::ptrdiff_t step = p.input_step;
    std::int64_t quads = (p.segment_depth + 3) / 4;
    for (std::int64_t s = 0; s < p.segment_count; ++s) {
      const std::uint8_t* in = start.input + p.segments[s];
      for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += 32) {
        __m256i w[kOfPanels];
#pragma GCC unroll 6
        for (int v = 0; v < kOfPanels; ++v) {
          w[v] = load_256(weights + v * panel_bytes);
        }
#pragma GCC unroll 6
        for (int r = 0; r < kOfRows; ++r) {
          __m256i x = four_bytes(in + r * step);
#pragma GCC unroll 6
          for (int v = 0; v < kOfPanels; ++v) {
            acc[r][v] = kMultiply(acc[r][v], x, w[v]);
          }
        }
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < kOfRows; ++r) {
#pragma GCC unroll 6
      for (int v = 0; v < kOfPanels; ++v) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(sums + r * kTileWidth + v * 8), acc[r][v]);
      }
    }
  }

  /// The code for each size: of one panel, then of two.
  template <int... kSizes>
  static constexpr auto functions(std::integer_sequence<int, kSizes...> /*sizes*/) {
    return std::array<Function, sizeof...(kSizes)>{of_size<kSizes % kRows + 1, kSizes / kRows + 1>...};
  }

  static void accumulate(const DotParams& p, const TileStart& start, int rows, int panels,
                         std::int32_t* sums) {
    static constexpr auto kFunctions = functions(std::make_integer_sequence<int, kRows * kPanels>());
    kFunctions[static_cast<std::size_t>((panels - 1) * kRows + rows - 1)](p, start, sums);
  }
};

[[gnu::noinline]] void add_row_bias(const std::int32_t* row_bias, int rows, std::int32_t* sums) {
  for (int r = 0; r < rows; ++r, sums += kTileWidth) {
    for (int m = 0; m < kTileWidth; ++m) {
      sums[m] += row_bias[r];
    }
  }
}

/// The positions of a run that meet all channels before the next ones do: with what they make they stay in
/// the first cache, and are enough for the weights that come from the second.
inline std::int64_t positions_at_once(const DotParams& p) {
  constexpr std::int64_t kBytes = 24 << 10;
  constexpr std::int64_t kLeast = 64;
  std::int64_t all = p.positions - p.first_position;
  std::int64_t output = p.channels * (p.epilogue->kind == EpilogueKind::kAccumulators ? 4 : 1);
  std::int64_t most = std::max(kLeast, kBytes / (p.input_step + output));
  std::int64_t parts = (all + most - 1) / most;
  return (all + parts - 1) / parts;
}

/// Runs tiles of `Tile` over all positions and channels of `p`.
template <typename Tile>
void run_tiles_256(const DotParams& p) {
  constexpr std::int64_t kWidth = Tile::kPanels * 8;
  Epilogue256 epilogue(*p.epilogue);
  alignas(32) std::int32_t sums[Tile::kRows * kTileWidth] = {};
  TileStart start{};
  start.panel_bytes = p.segment_count * ((p.segment_depth + 3) / 4) * 32;
  std::int64_t at_once = (positions_at_once(p) + Tile::kRows - 1) / Tile::kRows * Tile::kRows;
  for (std::int64_t begin = p.first_position; begin < p.positions; begin += at_once) {
    std::int64_t end = std::min(p.positions, begin + at_once);
    for (std::int64_t first = p.first_channel; first < p.channels; first += kWidth) {
      std::int64_t count = std::min(kWidth, p.channels - first);
      start.channel = first;
      start.weights = p.weights + first / 8 * start.panel_bytes;
      start.bias = p.epilogue->bias + first;
      Walk walk(p);
      walk.seek(begin);
      int rows = 0;
      for (std::int64_t position = begin; position < end; position += rows) {
        // Alike, since a tile of few positions waits for its weights.
        std::int64_t tiles = (end - position + Tile::kRows - 1) / Tile::kRows;
        rows = static_cast<int>((end - position + tiles - 1) / tiles);
        start.input = p.input + position * p.input_step;
        Tile::accumulate(p, start, rows, count > 8 ? 2 : 1, sums);
        if (p.row_bias != nullptr) {
          add_row_bias(p.row_bias + position, rows, sums);
        }
        TileTargets targets;
        walk.take(rows, targets);
        store_tile(p, epilogue, first, count, rows, targets, sums);
      }
    }
  }
}

}  // namespace
}  // namespace zeropoint::kernels
