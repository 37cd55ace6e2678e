// Matrix tiles: 16 positions by 64 bytes times 64 bytes by 16 channels, two by two at a time. Input tiles are
// loaded from the image itself, a position to a row.

#include <immintrin.h>

#include "kernels/dot/dot.h"
#include "kernels/dot/store_avx512.h"
#include "kernels/dot/walk.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kPanel = 16;
constexpr std::int64_t kTileRows = 16;
constexpr std::int64_t kTileBytes = 64;  // of a row

/// Intel, instruction set reference, LDTILECFG.
struct TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

/// Positions of a tile: all tiles of a run have as many.
int rows_of(const DotParams& p) {
  std::int64_t positions = p.positions - p.first_position;
  return static_cast<int>(positions < kTileRows ? positions : kTileRows);
}

/// Two tiles by two of sums, row by row.
struct Sums {
  alignas(64) std::int32_t of[2 * kTileRows][2 * kPanel];
};

struct Block {
  const std::uint8_t* input[2];
  const std::int8_t* weights;
  std::ptrdiff_t panel_bytes;
  const std::int32_t* bias;
};

// Tiles 0 to 3 hold the sums, 4 and 5 positions, 6 and 7 weights.
template <bool kTwoRows, bool kTwoPanels>
void multiply(const DotParams& p, const Block& block, Sums& sums) {
  // A stride of 0 puts the bias into each row.
  _tile_loadd(0, block.bias, 0);
  if constexpr (kTwoPanels) {
    _tile_loadd(1, block.bias + kPanel, 0);
  }
  if constexpr (kTwoRows) {
    _tile_loadd(2, block.bias, 0);
    if constexpr (kTwoPanels) {
      _tile_loadd(3, block.bias + kPanel, 0);
    }
  }
  const std::int8_t* weights = block.weights;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    std::ptrdiff_t segment = p.segments[s];
    for (std::int64_t k = 0; k < p.segment_depth; k += kTileBytes, weights += kTileBytes * kPanel) {
      _tile_loadd(6, weights, kTileBytes);
      _tile_loadd(4, block.input[0] + segment + k, p.input_step);
      _tile_dpbusd(0, 4, 6);
      if constexpr (kTwoPanels) {
        _tile_loadd(7, weights + block.panel_bytes, kTileBytes);
        _tile_dpbusd(1, 4, 7);
      }
      if constexpr (kTwoRows) {
        _tile_loadd(5, block.input[1] + segment + k, p.input_step);
        _tile_dpbusd(2, 5, 6);
        if constexpr (kTwoPanels) {
          _tile_dpbusd(3, 5, 7);
        }
      }
    }
  }
  constexpr std::ptrdiff_t kRow = sizeof sums.of[0];
  _tile_stored(0, sums.of[0], kRow);
  if constexpr (kTwoPanels) {
    _tile_stored(1, sums.of[0] + kPanel, kRow);
  }
  if constexpr (kTwoRows) {
    _tile_stored(2, sums.of[kTileRows], kRow);
    if constexpr (kTwoPanels) {
      _tile_stored(3, sums.of[kTileRows] + kPanel, kRow);
    }
  }
}

void add_row_bias(const std::int32_t* row_bias, int rows, std::int32_t (*sums)[2 * kPanel]) {
  for (int r = 0; r < rows; ++r) {
    __m512i of_row = _mm512_set1_epi32(row_bias[r]);
    for (int v = 0; v < 2; ++v) {
      std::int32_t* vector = sums[r] + v * kPanel;
      _mm512_store_si512(vector, _mm512_add_epi32(_mm512_load_si512(vector), of_row));
    }
  }
}

template <int kVectors>
void store_rows(const DotParams& p, const WideEpilogue& epilogue, std::int64_t channel, int rows,
                Targets<kTileRows>& targets, const std::int32_t (*sums)[2 * kPanel]) {
  if (targets.in_row && rows == kTileRows && (kVectors == 1 || p.channels - channel >= kVectors * kPanel)) {
    auto whole = [&](int r, int v) { return _mm512_load_si512(sums[r] + v * kPanel); };
    if (epilogue.kind == EpilogueKind::kRequantize) {
      return store_whole<false, kTileRows, kVectors>(p, epilogue, channel, targets.output[0],
                                                     targets.other[0], whole);
    }
    if (epilogue.kind == EpilogueKind::kAdd) {
      return store_whole<true, kTileRows, kVectors>(p, epilogue, channel, targets.output[0], targets.other[0],
                                                    whole);
    }
  }
  store_any(p, epilogue, channel, kVectors, rows, targets, sums[0], 2 * kPanel);
}

/// Up to two tiles of positions on their way out.
struct Pair {
  std::int64_t starts[2];
  int count = 0;
};

/// Channels [first, first + kVectors panels) of all positions. Tiles are multiplied while the sums of those
/// before them are finished.
template <int kVectors>
void run_panels(const DotParams& p, const WideEpilogue& epilogue, std::int64_t first) {
  constexpr bool kTwoPanels = kVectors == 2;
  std::ptrdiff_t panel_bytes = p.segment_count * p.segment_depth * kPanel;
  Block block{{}, p.weights + first / kPanel * panel_bytes, panel_bytes, p.epilogue->bias + first};
  Sums sums[2] = {};
  Walk walk(p);
  // The last tile begins where it ends with the last position: what two tiles share is computed twice.
  int rows = rows_of(p);
  std::int64_t last = p.positions - rows;
  std::int64_t walked = p.first_position;
  auto finish = [&](const Pair& pair, Sums& of_pair) {
    for (int i = 0; i < pair.count; ++i) {
      if (pair.starts[i] != walked) {
        walk.seek(pair.starts[i]);
      }
      Targets<kTileRows> targets;
      walk.take(rows, targets);
      walked = pair.starts[i] + rows;
      if (p.row_bias != nullptr) {
        add_row_bias(p.row_bias + pair.starts[i], rows, of_pair.of + i * kTileRows);
      }
      store_rows<kVectors>(p, epilogue, first, rows, targets, of_pair.of + i * kTileRows);
    }
  };
  Pair before;
  int turn = 0;
  for (std::int64_t position = p.first_position; position < p.positions; position += 2 * kTileRows) {
    Pair pair{{position < last ? position : last, position + kTileRows < last ? position + kTileRows : last},
              position + kTileRows < p.positions ? 2 : 1};
    for (int i = 0; i < 2; ++i) {
      block.input[i] = p.input + pair.starts[i] * p.input_step;
    }
    if (pair.count == 2) {
      multiply<true, kTwoPanels>(p, block, sums[turn]);
    } else {
      multiply<false, kTwoPanels>(p, block, sums[turn]);
    }
    turn = 1 - turn;
    finish(before, sums[turn]);
    before = pair;
  }
  finish(before, sums[1 - turn]);
}

}  // namespace

void enter_tiles(const DotParams& p);
void enter_tiles(const DotParams& p) {
  TileConfig config;
  auto rows = static_cast<std::uint8_t>(rows_of(p));
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kTileBytes;
    config.rows[tile] = tile < 6 ? rows : kTileRows;
  }
  // The intrinsic tells the compiler of the first bytes alone; this of all.
  asm volatile("" : : "r"(&config) : "memory");
  _tile_loadconfig(&config);
}

void leave_tiles();
void leave_tiles() { _tile_release(); }

void dot_u8s8_s32_32x32_amx(const DotParams& p);
void dot_u8s8_s32_32x32_amx(const DotParams& p) {
  WideEpilogue epilogue(*p.epilogue);
  std::int64_t first = p.first_channel;
  for (; p.channels - first > kPanel; first += 2 * kPanel) {
    run_panels<2>(p, epilogue, first);
  }
  if (first < p.channels) {
    run_panels<1>(p, epilogue, first);
  }
}

}  // namespace zeropoint::kernels
