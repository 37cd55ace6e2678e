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

constexpr int kTilePanels = 2;

template <int kOfRows, int kOfPanels>
inline void load_bias(const std::int32_t* bias, __m256i (&acc)[kOfRows][kOfPanels]) {
#pragma GCC unroll 6
  for (int v = 0; v < kOfPanels; ++v) {
    __m256i of_panel = load_256(bias + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < kOfRows; ++r) {
      acc[r][v] = of_panel;
    }
  }
}

template <int kOfRows, int kOfPanels>
inline void store_sums(const __m256i (&acc)[kOfRows][kOfPanels], std::int32_t* sums) {
#pragma GCC unroll 6
  for (int r = 0; r < kOfRows; ++r) {
#pragma GCC unroll 6
    for (int v = 0; v < kOfPanels; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums + r * kTileWidth + v * kLanes), acc[r][v]);
    }
  }
}

using TileFunction = void (*)(const DotParams&, const TileStart&, std::int32_t*);
using Accumulate = void (*)(const DotParams&, const TileStart&, int rows, int panels, std::int32_t* sums);

template <typename Tile, int... kSizes>
constexpr auto functions_of(std::integer_sequence<int, kSizes...> /*sizes*/) {
  return std::array<TileFunction, sizeof...(kSizes)>{
      Tile::template of_size<kSizes % kTileRows + 1, kSizes / kTileRows + 1>...};
}

/// Finds the code for a tile of up to kTileRows positions by kTilePanels panels of 8 channels:
/// Tile::of_size<rows, panels>(params, start, sums), with kTileWidth sums for each position.
template <typename Tile>
struct AnySize {
  static void accumulate(const DotParams& p, const TileStart& start, int rows, int panels,
                         std::int32_t* sums) {
    static constexpr auto kFunctions =
        functions_of<Tile>(std::make_integer_sequence<int, kTileRows * kTilePanels>());
    kFunctions[static_cast<std::size_t>((panels - 1) * kTileRows + rows - 1)](p, start, sums);
  }
};

/// kMultiply(sums, bytes, weights): to 8 sums of int32 the products of four bytes each.
template <__m256i (*kMultiply)(__m256i, __m256i, __m256i)>
struct Tile256 : AnySize<Tile256<kMultiply>> {
  template <int kOfRows, int kOfPanels>
  static void of_size(const DotParams& p, const TileStart& start, std::int32_t* sums) {
    __m256i acc[kOfRows][kOfPanels];
    load_bias(start.bias, acc);
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
    store_sums(acc, sums);
  }
};

[[gnu::noinline]] void add_row_bias(const std::int32_t* row_bias, int rows, std::int32_t* sums) {
  auto* of_row = reinterpret_cast<__m256i*>(sums);
  for (int r = 0; r < rows; ++r, of_row += kTilePanels) {
    __m256i bias = _mm256_set1_epi32(row_bias[r]);
    _mm256_store_si256(of_row, _mm256_add_epi32(_mm256_load_si256(of_row), bias));
    _mm256_store_si256(of_row + 1, _mm256_add_epi32(_mm256_load_si256(of_row + 1), bias));
  }
}

/// The positions that meet all channels before the next ones do, of one run or of several: with what they
/// make they stay in the first cache, and are enough for the weights that come from the second.
struct AtOnce {
  std::int64_t positions;  ///< of a run
  std::int64_t runs;

  explicit AtOnce(const DotParams& p) {
    constexpr std::int64_t kBytes = 24 << 10;
    constexpr std::int64_t kLeast = 64;
    std::int64_t all = std::max<std::int64_t>(1, p.positions - p.first_position);
    std::int64_t output = p.channels * (p.epilogue->kind == EpilogueKind::kAccumulators ? 4 : 1);
    std::int64_t most = std::max(kLeast, kBytes / (p.input_step + output));
    std::int64_t parts = (all + most - 1) / most;
    positions = ((all + parts - 1) / parts + kTileRows - 1) / kTileRows * kTileRows;
    runs = std::max<std::int64_t>(1, most / all);
  }
};

/// What is the same for all tiles.
struct TileRun {
  Epilogue256 epilogue;
  Accumulate accumulate;  ///< see AnySize
  std::ptrdiff_t panel_bytes;
  alignas(32) std::int32_t sums[kTileRows * kTileWidth] = {};

  /// Positions [begin, end) of a run with up to kTileWidth channels from `first` on.
  void run(const DotParams& p, std::int64_t begin, std::int64_t end, std::int64_t first) {
    std::int64_t count = std::min(kTileWidth, p.channels - first);
    TileStart start{nullptr, p.weights + first / 8 * panel_bytes, p.epilogue->bias + first, panel_bytes,
                    first};
    Walk walk(p);
    walk.seek(begin);
    int rows = 0;
    for (std::int64_t position = begin; position < end; position += rows) {
      // Alike, since a tile of few positions waits for its weights.
      std::int64_t tiles = (end - position + kTileRows - 1) / kTileRows;
      rows = static_cast<int>((end - position + tiles - 1) / tiles);
      start.input = p.input + position * p.input_step;
      accumulate(p, start, rows, count > 8 ? 2 : 1, sums);
      if (p.row_bias != nullptr) {
        add_row_bias(p.row_bias + position, rows, sums);
      }
      TileTargets targets;
      walk.take(rows, targets);
      store_tile(p, epilogue, first, count, rows, targets, sums);
    }
  }
};

/// Runs tiles over all runs, positions and channels of `p`.
[[gnu::noinline]] void run_tiles_256(const DotParams& p, Accumulate accumulate) {
  TileRun tiles{Epilogue256(*p.epilogue), accumulate, p.segment_count * ((p.segment_depth + 3) / 4) * 32};
  AtOnce at_once(p);
  DotParams next = p;
  for (std::int64_t run = 0; run < p.runs; run += at_once.runs) {
    std::int64_t runs = std::min(at_once.runs, p.runs - run);
    for (std::int64_t begin = p.first_position; begin < p.positions; begin += at_once.positions) {
      std::int64_t end = std::min(p.positions, begin + at_once.positions);
      for (std::int64_t first = p.first_channel; first < p.channels; first += kTileWidth) {
        DotParams of_run = next;
        for (std::int64_t i = 0; i < runs; ++i, to_next_run(of_run)) {
          tiles.run(of_run, begin, end, first);
        }
      }
    }
    for (std::int64_t i = 0; i < runs; ++i) {
      to_next_run(next);
    }
  }
}

}  // namespace
}  // namespace zeropoint::kernels
