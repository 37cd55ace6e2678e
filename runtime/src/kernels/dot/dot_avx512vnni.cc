// Tiles of up to 12 positions by 32 channels, 6 by 64 or 3 by 128: 24 registers of sums, filled by vpdpbusd
// with four bytes of a position in every lane.

#include <immintrin.h>

#include <cstring>

#include "kernels/dot/dot.h"
#include "kernels/dot/store_avx512.h"
#include "kernels/dot/walk.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kPanel = 16;

using TileTargets = Targets<12>;

__m512i four_bytes(const std::uint8_t* in) {
  std::int32_t bytes;
  std::memcpy(&bytes, in, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

/// Rows of a tile lie in one line of the input or in two, the second half below the first. Every third row of
/// a line has a pointer; two more are one and two steps away.
template <int kRows, int kLines>
struct Rows {
  static constexpr int kOfLine = kRows / kLines;
  static constexpr int kPointers = (kOfLine + 2) / 3;
  const std::uint8_t* in[kLines * kPointers];

  Rows(const std::uint8_t* first, std::ptrdiff_t step, std::ptrdiff_t line) {
    for (int i = 0; i < kLines * kPointers; ++i) {
      in[i] = first + i / kPointers * line + 3 * (i % kPointers) * step;
    }
  }

  [[nodiscard]] const std::uint8_t* row(int r, std::ptrdiff_t step) const {
    return in[r / kOfLine * kPointers + r % kOfLine / 3] + r % kOfLine % 3 * step;
  }

  void advance(std::ptrdiff_t bytes) {
    for (const std::uint8_t*& pointer : in) {
      pointer += bytes;
    }
  }
};

/// Adds the products of the `i`th four bytes from where the rows are.
template <int kRows, int kLines, int kVectors>
[[gnu::always_inline]] inline void add_quad(int i, const Rows<kRows, kLines>& rows, std::ptrdiff_t step,
                                            const std::int8_t* weights, std::ptrdiff_t panel_bytes,
                                            __m512i (&sums)[kRows][kVectors]) {
  __m512i w[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    w[v] = _mm512_loadu_si512(weights + i * kPanel * 4 + v * panel_bytes);
  }
  for (int r = 0; r < kRows; ++r) {
    __m512i x = four_bytes(rows.row(r, step) + 4 * i);
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = _mm512_dpbusd_epi32(sums[r][v], x, w[v]);
    }
  }
}

template <int kLines, int kRows, int kVectors>
void accumulate(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                std::ptrdiff_t panel_bytes, const std::int32_t* bias, __m512i (&sums)[kRows][kVectors]) {
  for (int v = 0; v < kVectors; ++v) {
    __m512i start = _mm512_loadu_si512(bias + v * kPanel);
    for (int r = 0; r < kRows; ++r) {
      sums[r][v] = start;
    }
  }
  std::ptrdiff_t step = p.input_step;
  std::int64_t quads = (p.segment_depth + 3) / 4;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    Rows<kRows, kLines> rows(input + p.segments[s], step, p.second_line);
    std::int64_t k = 0;
    if constexpr (kRows == 12 && kLines == 1) {
      // Rows are fetched 128 bytes ahead, and behind their end those of the next tile: three for each four
      // quads, so that 64 bytes of all twelve come with 16 quads.
      constexpr std::int64_t kAhead = 32;
      std::ptrdiff_t next_tile = kRows * step - quads * 4;
      for (; quads >= 16 && k + 4 <= quads; k += 4) {
        const std::uint8_t* ahead =
            rows.in[0] + kAhead * 4 + (k + kAhead < quads ? 0 : next_tile) + k % 16 / 4 * 3 * step;
        for (int r = 0; r < 3; ++r) {
          _mm_prefetch(ahead + r * step, _MM_HINT_T0);
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          add_quad(i, rows, step, weights, panel_bytes, sums);
        }
        rows.advance(16);
        weights += 4 * kPanel * 4;
      }
    }
    for (; k < quads; ++k) {
      add_quad(0, rows, step, weights, panel_bytes, sums);
      rows.advance(4);
      weights += kPanel * 4;
    }
  }
}

template <int kRows, int kVectors>
void add_row_bias(const std::int32_t* row_bias, __m512i (&sums)[kRows][kVectors]) {
  for (int r = 0; r < kRows; ++r) {
    __m512i of_row = _mm512_set1_epi32(row_bias[r]);
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = _mm512_add_epi32(sums[r][v], of_row);
    }
  }
}

template <int kRows, int kVectors>
[[gnu::noinline]] void tile(const DotParams& p, const WideEpilogue& epilogue, std::int64_t position,
                            TileTargets& targets, std::int64_t first) {
  std::int64_t panel_bytes = p.segment_count * ((p.segment_depth + 3) / 4) * 4 * kPanel;
  __m512i sums[kRows][kVectors];
  accumulate<1>(p, p.input + position * p.input_step, p.weights + first / kPanel * panel_bytes, panel_bytes,
                p.epilogue->bias + first, sums);
  if (p.row_bias != nullptr) {
    add_row_bias(p.row_bias + position, sums);
  }
  constexpr int kPair = kVectors < 2 ? kVectors : 2;
  bool whole = targets.in_row && epilogue.kind == EpilogueKind::kRequantize &&
               (kVectors == 1 || p.channels - first >= kVectors * kPanel);
  // Tiles of most sums end in registers; the others share code, for the price of a way through memory.
  if constexpr (kRows == 12 || (kVectors == 4 && kRows >= 5)) {
    if (whole) {
      for (int v = 0; v < kVectors; v += kPair) {
        store_whole<kPair>(p, epilogue, first + v * kPanel, targets.output[0], kRows,
                           [&](int r, int of_pair) { return sums[r][v + of_pair]; });
      }
      return;
    }
  }
  alignas(64) std::int32_t memory[kRows][kVectors * kPanel];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      _mm512_store_si512(memory[r] + v * kPanel, sums[r][v]);
    }
  }
  for (int v = 0; v < kVectors && first + v * kPanel < p.channels; v += kPair) {
    std::int64_t channel = first + v * kPanel;
    const std::int32_t* of_pair = memory[0] + v * kPanel;
    if (whole) {
      store_rows<kPair>(p, epilogue, channel, targets.output[0], kRows, of_pair, kVectors * kPanel);
    } else {
      store_any(p, epilogue, channel, kPair, kRows, targets, of_pair, kVectors * kPanel);
    }
  }
}

using TileFunction = void (*)(const DotParams& p, const WideEpilogue& epilogue, std::int64_t position,
                              TileTargets& targets, std::int64_t first);

/// For as many rows as there are: some numbers are made of two others, for which there is code.
constexpr TileFunction kOneVector[] = {tile<1, 1>, tile<2, 1>, tile<3, 1>, tile<4, 1>,
                                       tile<4, 1>, tile<6, 1>, tile<7, 1>, tile<8, 1>,
                                       tile<8, 1>, tile<8, 1>, tile<8, 1>, tile<12, 1>};
constexpr TileFunction kTwoVectors[] = {tile<1, 2>, tile<2, 2>, tile<3, 2>, tile<4, 2>,
                                        tile<4, 2>, tile<6, 2>, tile<7, 2>, tile<8, 2>,
                                        tile<8, 2>, tile<8, 2>, tile<8, 2>, tile<12, 2>};
constexpr TileFunction kFourVectors[] = {tile<1, 4>, tile<2, 4>, tile<3, 4>,
                                         tile<4, 4>, tile<5, 4>, tile<6, 4>};
constexpr TileFunction kEightVectors[] = {tile<1, 8>, tile<2, 8>, tile<3, 8>};
constexpr int kRowsOfCode[] = {1, 2, 3, 4, 4, 6, 7, 8, 8, 8, 8, 12};
constexpr int kFewRowsOfCode[] = {1, 2, 3, 4, 5, 6};

struct Shape {
  std::int64_t rows;  ///< at most
  std::int64_t vectors;
  const TileFunction* functions;
  const int* rows_of_code;
};

/// Few positions have few sums in flight unless more channels make up for it.
Shape shape_for(std::int64_t positions, std::int64_t channels) {
  if (positions <= 3 && channels > 7 * kPanel) {
    return {3, 8, kEightVectors, kFewRowsOfCode};
  }
  if (positions <= 6 && channels > 3 * kPanel) {
    return {6, 4, kFourVectors, kFewRowsOfCode};
  }
  return channels > kPanel ? Shape{12, 2, kTwoVectors, kRowsOfCode} : Shape{12, 1, kOneVector, kRowsOfCode};
}

/// The largest of 2 x 2: of two lines and two vectors.
template <int kPositions>
[[gnu::noinline]] void tile_of_maxima(const DotParams& p, const WideEpilogue& epilogue,
                                      std::int64_t position) {
  std::int64_t panel_bytes = p.segment_count * ((p.segment_depth + 3) / 4) * 4 * kPanel;
  __m512i sums[2 * kPositions][2];
  accumulate<2>(p, p.input + position * p.input_step, p.weights, panel_bytes, p.epilogue->bias, sums);
  store_whole<1>(p, epilogue, 0, position * p.output_step, kPositions, [&](int r, int) {
    __m512i upper = _mm512_max_epi32(sums[r][0], sums[r][1]);
    return _mm512_max_epi32(upper, _mm512_max_epi32(sums[kPositions + r][0], sums[kPositions + r][1]));
  });
}

}  // namespace

void maxima_u8s8_s32_6x16_avx512vnni(const DotParams& p);
void maxima_u8s8_s32_6x16_avx512vnni(const DotParams& p) {
  using Tile = void (*)(const DotParams& p, const WideEpilogue& epilogue, std::int64_t position);
  constexpr Tile kTiles[] = {tile_of_maxima<1>, tile_of_maxima<2>, tile_of_maxima<3>,
                             tile_of_maxima<4>, tile_of_maxima<4>, tile_of_maxima<6>};
  constexpr int kPositionsOfCode[] = {1, 2, 3, 4, 4, 6};
  WideEpilogue epilogue(*p.epilogue);
  DotParams of_run = p;
  for (std::int64_t run = 0; run < p.runs; ++run, to_next_run(of_run)) {
    for (std::int64_t position = p.first_position; position < p.positions;) {
      std::int64_t left = p.positions - position < 6 ? p.positions - position : 6;
      kTiles[left - 1](of_run, epilogue, position);
      position += kPositionsOfCode[left - 1];
    }
  }
}

void dot_u8s8_s32_12x32_avx512vnni(const DotParams& p);
void dot_u8s8_s32_12x32_avx512vnni(const DotParams& p) {
  WideEpilogue epilogue(*p.epilogue);
  for (std::int64_t first = p.first_channel; first < p.channels;) {
    Shape shape = shape_for(p.positions - p.first_position, p.channels - first);
    DotParams of_run = p;
    for (std::int64_t run = 0; run < p.runs; ++run, to_next_run(of_run)) {
      Walk walk(of_run);
      TileTargets targets;
      for (std::int64_t position = p.first_position; position < p.positions;) {
        std::int64_t left = p.positions - position < shape.rows ? p.positions - position : shape.rows;
        int rows = shape.rows_of_code[left - 1];
        walk.take(rows, targets);
        shape.functions[rows - 1](of_run, epilogue, position, targets, first);
        position += rows;
      }
    }
    first += shape.vectors * kPanel;
  }
}

}  // namespace zeropoint::kernels
