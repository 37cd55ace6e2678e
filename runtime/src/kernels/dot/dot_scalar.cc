#include <algorithm>

#include "kernels/dot/dot.h"
#include "kernels/epilogue_scalar.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kRows = 4;
constexpr std::int64_t kPanel = 8;

struct Tile {
  std::int32_t sums[kRows][kPanel];
};

void accumulate(const DotParams& p, std::int64_t position, std::int64_t rows, const std::int8_t* weights,
                Tile& tile) {
  std::int64_t quads = (p.segment_depth + 3) / 4;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    const std::uint8_t* in = p.input + position * p.input_step + p.segments[s];
    for (std::int64_t k = 0; k < quads; ++k, in += 4, weights += kPanel * 4) {
      for (std::int64_t r = 0; r < rows; ++r) {
        const std::uint8_t* x = in + r * p.input_step;
        for (std::int64_t m = 0; m < kPanel; ++m) {
          const std::int8_t* w = weights + m * 4;
          tile.sums[r][m] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
        }
      }
    }
  }
}

void store(const DotParams& p, std::int64_t position, std::int64_t first, const std::int32_t* sums) {
  std::int64_t period = p.row_length + p.row_gap;
  std::int64_t row = position / period;
  std::int64_t x = position % period;
  if (x >= p.row_length) {
    return;
  }
  const Epilogue& e = *p.epilogue;
  std::int64_t count = std::min(kPanel, p.channels - first);
  std::ptrdiff_t at = row * p.output_row + x * p.output_step + first;
  if (e.kind == EpilogueKind::kAccumulators) {
    std::copy_n(sums, count, static_cast<std::int32_t*>(p.output) + at);
    return;
  }
  std::uint8_t* out = static_cast<std::uint8_t*>(p.output) + at;
  for (std::int64_t m = 0; m < count; ++m) {
    out[m] = requantized(e, sums[m], first + m);
  }
  if (e.kind == EpilogueKind::kAdd) {
    const std::uint8_t* other = p.other + row * p.other_row + x * p.other_step + first;
    for (std::int64_t m = 0; m < count; ++m) {
      out[m] = added(e, out[m], other[m]);
    }
  }
}

}  // namespace

void dot_u8s8_s32_4x8_scalar(const DotParams& p) {
  std::int64_t panel_bytes = p.segment_count * ((p.segment_depth + 3) / 4) * 4 * kPanel;
  for (std::int64_t first = p.first_channel; first < p.channels; first += kPanel) {
    const std::int8_t* weights = p.weights + first / kPanel * panel_bytes;
    for (std::int64_t position = 0; position < p.positions; position += kRows) {
      Tile tile;
      std::int64_t rows = std::min(kRows, p.positions - position);
      for (std::int64_t r = 0; r < rows; ++r) {
        std::int32_t of_row = p.row_bias == nullptr ? 0 : p.row_bias[position + r];
        for (std::int64_t m = 0; m < kPanel; ++m) {
          tile.sums[r][m] = p.epilogue->bias[first + m] + of_row;
        }
      }
      accumulate(p, position, rows, weights, tile);
      for (std::int64_t r = 0; r < rows; ++r) {
        store(p, position + r, first, tile.sums[r]);
      }
    }
  }
}

}  // namespace zeropoint::kernels
