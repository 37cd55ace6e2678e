#pragma once

// From 32-bit sums to what a run stores, as loops that the compiler turns into vectors. Internal linkage:
// files of several instruction sets include it.

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "kernels/dot/dot.h"
#include "kernels/dot/walk.h"
#include "kernels/epilogue_scalar.h"

namespace zeropoint::kernels {
namespace {

/// Up to a panel's channels from `first` on of one position. All kPanel are computed, of which there are sums
/// and multipliers: loops of one length need no others for what is left.
template <std::int64_t kPanel>
void store_panel(const DotParams& p, std::int64_t first, std::int64_t count, std::ptrdiff_t output,
                 std::ptrdiff_t other, const std::int32_t* sums) {
  const Epilogue e = *p.epilogue;  // a copy, which what is written cannot change
  if (e.kind == EpilogueKind::kAccumulators) {
    std::copy_n(sums, count, static_cast<std::int32_t*>(p.output) + output + first);
    return;
  }
  std::uint8_t bytes[kPanel];
  const float* multipliers = e.multipliers + first;
  for (std::int64_t m = 0; m < kPanel; ++m) {
    bytes[m] = byte_of(static_cast<float>(sums[m]) * multipliers[m], e.zero_point, e.low, e.high);
  }
  if (e.kind == EpilogueKind::kAdd) {
    std::uint8_t its[kPanel] = {};
    std::copy_n(p.other + other + first, count, its);
    for (std::int64_t m = 0; m < kPanel; ++m) {
      bytes[m] = added(e, bytes[m], its[m]);
    }
  }
  std::copy_n(bytes, count, static_cast<std::uint8_t*>(p.output) + output + first);
}

/// The part of a tile of up to four positions that finds the code for their number:
/// Tile::of_size<n>(params, input, weights, sums).
template <typename Tile>
struct FourRows {
  static void accumulate(const DotParams& p, const std::uint8_t* input, const std::int8_t* weights,
                         std::int64_t rows, std::int32_t* sums) {
    using Function = void (*)(const DotParams&, const std::uint8_t*, const std::int8_t*, std::int32_t*);
    static constexpr Function kFunctions[] = {Tile::template of_size<1>, Tile::template of_size<2>,
                                              Tile::template of_size<3>, Tile::template of_size<4>};
    static_assert(std::size(kFunctions) == Tile::kRows);
    kFunctions[rows - 1](p, input, weights, sums);
  }
};

/// Runs `Tile` over all positions and channels. A Tile computes up to kRows positions by one panel of kPanel
/// channels: Tile::accumulate(params, input, weights, rows, sums), its sums already holding the biases.
template <typename Tile>
void run_tiles(const DotParams& p) {
  std::ptrdiff_t panel_bytes = p.segment_count * ((p.segment_depth + 3) / 4) * 4 * Tile::kPanel;
  for (std::int64_t first = p.first_channel; first < p.channels; first += Tile::kPanel) {
    std::int64_t count = std::min(Tile::kPanel, p.channels - first);
    const std::int8_t* weights = p.weights + first / Tile::kPanel * panel_bytes;
    const std::int32_t* bias = p.epilogue->bias + first;
    Walk walk(p);
    for (std::int64_t position = p.first_position; position < p.positions; position += Tile::kRows) {
      std::int64_t rows = std::min(Tile::kRows, p.positions - position);
      alignas(64) std::int32_t sums[Tile::kRows][Tile::kPanel];
      for (std::int64_t r = 0; r < rows; ++r) {
        std::int32_t of_row = p.row_bias == nullptr ? 0 : p.row_bias[position + r];
        for (std::int64_t m = 0; m < Tile::kPanel; ++m) {
          sums[r][m] = bias[m] + of_row;
        }
      }
      Tile::accumulate(p, p.input + position * p.input_step, weights, rows, &sums[0][0]);
      Targets<Tile::kRows> targets;
      walk.take_each(static_cast<int>(rows), targets);
      for (std::int64_t r = 0; r < rows; ++r) {
        if (targets.stored[r]) {
          store_panel<Tile::kPanel>(p, first, count, targets.output[r], targets.other[r], sums[r]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace zeropoint::kernels
