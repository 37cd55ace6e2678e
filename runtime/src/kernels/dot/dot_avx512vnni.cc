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

template <int kRows, int kVectors>
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
    // Every third row has a pointer; two more are one and two steps away.
    const std::uint8_t* in[(kRows + 2) / 3];
    for (int i = 0; i < (kRows + 2) / 3; ++i) {
      in[i] = input + p.segments[s] + 3 * i * step;
    }
    for (std::int64_t k = 0; k < quads; ++k) {
      __m512i w[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        w[v] = _mm512_loadu_si512(weights + v * panel_bytes);
      }
      weights += kPanel * 4;
      for (int r = 0; r < kRows; ++r) {
        __m512i x = four_bytes(in[r / 3] + r % 3 * step);
        for (int v = 0; v < kVectors; ++v) {
          sums[r][v] = _mm512_dpbusd_epi32(sums[r][v], x, w[v]);
        }
      }
      for (const std::uint8_t*& pointer : in) {
        pointer += 4;
      }
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
void store_accumulators(const DotParams& p, const TileTargets& targets, std::int64_t first,
                        const __m512i (&sums)[kRows][kVectors]) {
  auto* output = static_cast<std::int32_t*>(p.output) + first;
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors && targets.stored[r]; ++v) {
      _mm512_mask_storeu_epi32(output + targets.output[r] + v * kPanel,
                               lanes(p.channels - first - v * kPanel), sums[r][v]);
    }
  }
}

/// 64 bytes at a time: four rows of one vector, or two of two.
template <int kRows, int kVectors>
void store_requantized(const DotParams& p, const WideEpilogue& epilogue, const TileTargets& targets,
                       std::int64_t first, const __m512i (&sums)[kRows][kVectors]) {
  auto target = [&](int r) {
    return r < kRows ? Target{targets.output[r], targets.other[r], targets.stored[r]} : Target{0, 0, false};
  };
  auto row = [](int r) { return r < kRows ? r : kRows - 1; };
  if constexpr (kVectors == 1) {
    __m512 multipliers = _mm512_loadu_ps(p.epilogue->multipliers + first);
    for (int r = 0; r < kRows; r += 4) {
      const __m512i four[4] = {sums[row(r)][0], sums[row(r + 1)][0], sums[row(r + 2)][0],
                               sums[row(r + 3)][0]};
      store_four(p, epilogue, first, multipliers, four,
                 {target(r), target(r + 1), target(r + 2), target(r + 3)});
    }
    return;
  } else {
    for (int v = 0; v < kVectors; v += 2) {
      std::int64_t channel = first + v * kPanel;
      const __m512 multipliers[2] = {_mm512_loadu_ps(p.epilogue->multipliers + channel),
                                     _mm512_loadu_ps(p.epilogue->multipliers + channel + kPanel)};
      for (int r = 0; r < kRows; r += 2) {
        store_pair(p, epilogue, channel, multipliers, {sums[r][v], sums[r][v + 1]}, target(r),
                   {sums[row(r + 1)][v], sums[row(r + 1)][v + 1]}, target(r + 1));
      }
    }
  }
}

template <int kRows, int kVectors>
[[gnu::noinline]] void tile(const DotParams& p, const WideEpilogue& epilogue, std::int64_t position,
                            TileTargets& targets, std::int64_t first) {
  std::int64_t panel_bytes = p.segment_count * ((p.segment_depth + 3) / 4) * 4 * kPanel;
  __m512i sums[kRows][kVectors];
  accumulate<kRows, kVectors>(p, p.input + position * p.input_step, p.weights + first / kPanel * panel_bytes,
                              panel_bytes, p.epilogue->bias + first, sums);
  if (p.row_bias != nullptr) {
    add_row_bias(p.row_bias + position, sums);
  }
  constexpr int kPair = kVectors < 2 ? kVectors : 2;
  if (targets.in_row && epilogue.kind == EpilogueKind::kRequantize &&
      p.channels - first >= kVectors * kPanel) {
    for (int v = 0; v < kVectors; v += kPair) {
      store_whole<false, kRows, kPair>(p, epilogue, first + v * kPanel, targets.output[0], 0,
                                       [&](int r, int i) { return sums[r][v + i]; });
    }
    return;
  }
  if (targets.in_row) {
    spread(p, kRows, targets);
  }
  if (epilogue.kind == EpilogueKind::kAccumulators) {
    store_accumulators(p, targets, first, sums);
  } else {
    store_requantized(p, epilogue, targets, first, sums);
  }
}

using TileFunction = void (*)(const DotParams& p, const WideEpilogue& epilogue, std::int64_t position,
                              TileTargets& targets, std::int64_t first);

constexpr TileFunction kOneVector[] = {tile<1, 1>, tile<2, 1>,  tile<3, 1>,  tile<4, 1>,
                                       tile<5, 1>, tile<6, 1>,  tile<7, 1>,  tile<8, 1>,
                                       tile<9, 1>, tile<10, 1>, tile<11, 1>, tile<12, 1>};
constexpr TileFunction kTwoVectors[] = {tile<1, 2>, tile<2, 2>,  tile<3, 2>,  tile<4, 2>,
                                        tile<5, 2>, tile<6, 2>,  tile<7, 2>,  tile<8, 2>,
                                        tile<9, 2>, tile<10, 2>, tile<11, 2>, tile<12, 2>};
constexpr TileFunction kFourVectors[] = {tile<1, 4>, tile<2, 4>, tile<3, 4>,
                                         tile<4, 4>, tile<5, 4>, tile<6, 4>};
constexpr TileFunction kEightVectors[] = {tile<1, 8>, tile<2, 8>, tile<3, 8>};

struct Shape {
  std::int64_t rows;
  std::int64_t vectors;
  const TileFunction* functions;
};

/// Few positions have few sums in flight unless more channels make up for it.
Shape shape_for(std::int64_t positions, std::int64_t channels) {
  if (positions <= 3 && channels > 7 * kPanel) {
    return {3, 8, kEightVectors};
  }
  if (positions <= 6 && channels > 3 * kPanel) {
    return {6, 4, kFourVectors};
  }
  return channels > kPanel ? Shape{12, 2, kTwoVectors} : Shape{12, 1, kOneVector};
}

}  // namespace

void dot_u8s8_s32_12x32_avx512vnni(const DotParams& p);
void dot_u8s8_s32_12x32_avx512vnni(const DotParams& p) {
  WideEpilogue epilogue(*p.epilogue);
  for (std::int64_t first = p.first_channel; first < p.channels;) {
    Shape shape = shape_for(p.positions - p.first_position, p.channels - first);
    Walk walk(p);
    TileTargets targets;
    for (std::int64_t position = p.first_position; position < p.positions; position += shape.rows) {
      std::int64_t rows = p.positions - position < shape.rows ? p.positions - position : shape.rows;
      walk.take(static_cast<int>(rows), targets);
      shape.functions[rows - 1](p, epilogue, position, targets, first);
    }
    first += shape.vectors * kPanel;
  }
}

}  // namespace zeropoint::kernels
