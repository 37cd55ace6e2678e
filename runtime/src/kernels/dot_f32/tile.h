#pragma once

// The walk over a product in tiles of some rows by some panels, their sums in registers. V is a vector of
// float32 of one instruction set. Internal linkage: each set's file includes it.

#include <algorithm>

#include "kernels/dot_f32/dot_f32.h"

namespace zeropoint::kernels {
namespace {

/// A tile of kRows by kPanels panels, beginning at panel `panel`; `sums` is [kRows][kPanels * 16].
template <typename V, int kRows, int kPanels>
struct FloatTile {
  static constexpr int kOfPanel = static_cast<int>(kFloatPanel) / V::kLanes;
  static constexpr int kVectors = kPanels * kOfPanel;
  typename V::Float acc[kRows][kVectors];

  void clear() {
    for (auto& row : acc) {
      for (auto& sum : row) {
        sum = V::zero();
      }
    }
  }

  void add(const float* left, std::ptrdiff_t step, const typename V::Float (&right)[kVectors]) {
    for (int r = 0; r < kRows; ++r) {
      typename V::Float x = V::broadcast(left + r * step);
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = V::multiply_add(x, right[v], acc[r][v]);
      }
    }
  }

  void of_floats(const FloatDotParams& p, const float* left, std::int64_t panel) {
    const float* panels = p.right + panel * p.depth * kFloatPanel;
    std::ptrdiff_t panel_step = p.depth * kFloatPanel;
    for (std::int64_t k = 0; k < p.depth; ++k, ++left, panels += kFloatPanel) {
      typename V::Float right[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        right[v] = V::load(panels + v / kOfPanel * panel_step + v % kOfPanel * V::kLanes);
      }
      add(left, p.left_step, right);
    }
  }

  /// Integers of 8 bits, or of 4 in pairs of neighbours along k.
  template <int kBits>
  void of_integers(const FloatDotParams& p, const float* left, std::int64_t panel) {
    const QuantizedPanels& q = p.quantized;
    std::int64_t blocks = (p.depth + q.block - 1) / q.block;
    std::int64_t lines = kBits == 8 ? p.depth : (p.depth + 1) / 2;  // of 16 bytes, in a panel
    const std::uint8_t* bytes = q.integers + panel * lines * kFloatPanel;
    for (std::int64_t block = 0; block < blocks; ++block) {
      typename V::Float scale[kVectors];
      typename V::Float zero[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        std::int64_t at = ((panel + v / kOfPanel) * blocks + block) * kFloatPanel + v % kOfPanel * V::kLanes;
        scale[v] = V::load(q.scales + at);
        zero[v] = V::load(q.zeros + at);
      }
      std::int64_t end = std::min(p.depth, (block + 1) * q.block);
      for (std::int64_t k = block * q.block; k < end; ++k, ++left, bytes += kFloatPanel) {
        typename V::Int line[kVectors];
        for (int v = 0; v < kVectors; ++v) {
          line[v] = V::load_bytes(bytes + v / kOfPanel * lines * kFloatPanel + v % kOfPanel * V::kLanes);
        }
        auto reals_of = [&](auto integer, typename V::Float(&right)[kVectors]) {
          for (int v = 0; v < kVectors; ++v) {
            right[v] = V::multiply(scale[v], V::subtract(V::to_float(integer(line[v])), zero[v]));
          }
        };
        typename V::Float right[kVectors];
        if constexpr (kBits == 8) {
          reals_of([](typename V::Int i) { return i; }, right);
          add(left, p.left_step, right);
        } else {
          reals_of([](typename V::Int i) { return V::low_half(i); }, right);
          add(left, p.left_step, right);
          if (++k < end) {
            ++left;
            reals_of([](typename V::Int i) { return V::high_half(i); }, right);
            add(left, p.left_step, right);
          }
        }
      }
    }
  }
};

/// Bias and clamp, on the way to the output. One for tiles of all widths.
[[gnu::noinline]] void finish_rows(const FloatDotParams& p, const float* sums, std::int64_t sums_step,
                                   std::int64_t row, std::int64_t rows, std::int64_t column,
                                   std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r, sums += sums_step) {
    float* out = p.output + (row + r) * p.output_step + column;
    if (p.row_bias != nullptr) {
      float bias = p.row_bias[row + r];
      for (std::int64_t c = 0; c < columns; ++c) {
        out[c] = sums[c] + bias;
      }
    } else if (p.column_bias != nullptr) {
      for (std::int64_t c = 0; c < columns; ++c) {
        out[c] = sums[c] + p.column_bias[column + c];
      }
    } else {
      std::copy_n(sums, columns, out);
    }
    if (p.clamps) {
      float low = p.low;
      float high = p.high;
      for (std::int64_t c = 0; c < columns; ++c) {
        float raised = out[c] < low ? low : out[c];
        out[c] = raised > high ? high : raised;
      }
    }
  }
}

template <typename V, bool kIntegers, int kRows, int kPanels>
void run_tile(const FloatDotParams& p, std::int64_t row, std::int64_t panel) {
  FloatTile<V, kRows, kPanels> tile;
  tile.clear();
  const float* left = p.left + row * p.left_step;
  if constexpr (!kIntegers) {
    tile.of_floats(p, left, panel);
  } else if (p.quantized.bits == 8) {
    tile.template of_integers<8>(p, left, panel);
  } else {
    tile.template of_integers<4>(p, left, panel);
  }
  constexpr std::int64_t kColumns = kPanels * kFloatPanel;
  alignas(64) float sums[kRows * kColumns];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < tile.kVectors; ++v) {
      V::store(sums + r * kColumns + v * V::kLanes, tile.acc[r][v]);
    }
  }
  std::int64_t column = panel * kFloatPanel;
  finish_rows(p, sums, kColumns, row, kRows, column, std::min(kColumns, p.columns - column));
}

/// All rows against kPanels panels: what these take stays near while the rows pass.
template <typename V, bool kIntegers, int kMostRows, int kPanels>
void run_panels(const FloatDotParams& p, std::int64_t panel) {
  std::int64_t row = 0;
  for (; row + kMostRows <= p.rows; row += kMostRows) {
    run_tile<V, kIntegers, kMostRows, kPanels>(p, row, panel);
  }
  // What is left, in tiles of few sizes: each is code.
  if constexpr (kMostRows > 4) {
    if (row + 4 <= p.rows) {
      run_tile<V, kIntegers, 4, kPanels>(p, row, panel);
      row += 4;
    }
  }
  if (row + 2 <= p.rows) {
    run_tile<V, kIntegers, 2, kPanels>(p, row, panel);
    row += 2;
  }
  if (row < p.rows) {
    run_tile<V, kIntegers, 1, kPanels>(p, row, panel);
  }
}

template <typename V, bool kIntegers, int kMostRows, int kMostPanels>
void run_float_dot(const FloatDotParams& p) {
  static_assert(kMostRows <= 6);
  std::int64_t panels = (p.columns + kFloatPanel - 1) / kFloatPanel;
  std::int64_t panel = 0;
  for (; panel + kMostPanels <= panels; panel += kMostPanels) {
    run_panels<V, kIntegers, kMostRows, kMostPanels>(p, panel);
  }
  if constexpr (kMostPanels > 2) {
    for (; panel + 2 <= panels; panel += 2) {
      run_panels<V, kIntegers, kMostRows, 2>(p, panel);
    }
  }
  for (; panel < panels; ++panel) {
    run_panels<V, kIntegers, kMostRows, 1>(p, panel);
  }
}

}  // namespace
}  // namespace zeropoint::kernels
