#pragma once

// From tiles of sums in memory to bytes, in pieces that take their turns with products of tiles. Internal
// linkage: only files compiled for AVX-512 include it.

#include <immintrin.h>

#include <algorithm>

#include "kernels/dot/dot.h"
#include "kernels/dot/walk.h"
#include "kernels/epilogue_avx512.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kPanel = 16;
constexpr std::int64_t kTileRows = 16;

/// Two tiles by two of sums, row by row.
struct Sums {
  alignas(64) std::int32_t of[2 * kTileRows][2 * kPanel];
};

/// Up to two tiles of positions, and where they go.
struct Positions {
  std::int64_t starts[2];
  int count;
  void* output;  ///< of their run
  const std::uint8_t* other;
  Targets<kTileRows> targets[2];
  /// All rows are stored, those of a tile as far apart as positions are. Else each has its target.
  bool whole;
};

/// Sums on their way out: of some positions by one or two panels.
struct Pending {
  const Positions* positions = nullptr;
  std::int64_t channel = 0;
  int panels = 0;
};

/// Finishes tiles 64 bytes at a time: whole ones, or any row by row.
template <bool kAdd, int kVectors, bool kWhole>
class Ending {
 public:
  Ending(const DotParams& p, const WideEpilogue& epilogue, const Pending& pending, const Sums& sums, int rows)
      : epilogue_(epilogue),
        sums_(sums.of[0]),
        targets_(pending.positions->targets),
        output_(static_cast<std::uint8_t*>(pending.positions->output) + pending.channel),
        other_(kAdd ? pending.positions->other + pending.channel : nullptr),
        output_step_(p.output_step),
        other_step_(p.other_step),
        mask_(static_cast<__mmask32>(
            (std::uint64_t{1} << std::min<std::int64_t>(kVectors * kPanel, p.channels - pending.channel)) -
            1)),
        rows_(rows),
        left_(static_cast<int>(pending.positions->count * kTileRows)) {
    for (int v = 0; v < kVectors; ++v) {
      bias_[v] = _mm512_loadu_si512(p.epilogue->bias + pending.channel + v * kPanel);
      multipliers_[v] = _mm512_loadu_ps(p.epilogue->multipliers + pending.channel + v * kPanel);
    }
    begin_tile();
  }

  [[nodiscard]] bool done() const { return left_ == 0; }

  void some_rows() {
    __m512i q[4];
    for (int i = 0; i < 4; ++i) {
      int r = i / kVectors;
      int v = i % kVectors;
      __m512i sum = _mm512_add_epi32(bias_[v], _mm512_load_si512(sums_ + (r * 2 + v) * kPanel));
      q[i] = WideEpilogue::requantized(sum, multipliers_[v]);
      if constexpr (kAdd) {
        q[i] = epilogue_.sum(q[i], other(r, v));
      }
    }
    __m512i bytes = epilogue_.in_order(q[0], q[1], q[2], q[3]);
    if constexpr (kVectors == 2) {
      store(0, _mm512_castsi512_si256(bytes));
      store(1, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      store(0, _mm512_castsi512_si256(bytes));
      store(1, _mm256_castsi128_si256(_mm512_extracti32x4_epi32(bytes, 1)));
      store(2, _mm256_castsi128_si256(_mm512_extracti32x4_epi32(bytes, 2)));
      store(3, _mm256_castsi128_si256(_mm512_extracti32x4_epi32(bytes, 3)));
    }
    sums_ += 2 * kPanel * kRows;
    to_ += kRows * output_step_;
    its_ += kRows * other_step_;
    row_ += kRows;
    left_ -= kRows;
    if (row_ == kTileRows && left_ > 0) {
      row_ = 0;
      ++targets_;
      begin_tile();
    }
  }

 private:
  static constexpr int kRows = 4 / kVectors;  // at a time

  void begin_tile() {
    to_ = output_ + targets_->output[0];
    its_ = kAdd ? other_ + targets_->other[0] : nullptr;
  }

  [[nodiscard]] __mmask32 mask(int r) const {
    return row_ + r < rows_ && targets_->stored[row_ + r] ? mask_ : 0;
  }

  [[nodiscard]] __m128i other(int r, int v) const {
    if constexpr (kWhole) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(its_ + r * other_step_ + v * kPanel));
    }
    const std::uint8_t* its = other_ + targets_->other[row_ + r] + v * kPanel;
    return _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask(r) >> (v * 16)), its);
  }

  void store(int r, __m256i bytes) {
    if constexpr (!kWhole) {
      _mm256_mask_storeu_epi8(output_ + targets_->output[row_ + r], mask(r), bytes);
    } else if constexpr (kVectors == 2) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_ + r * output_step_), bytes);
    } else {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to_ + r * output_step_), _mm256_castsi256_si128(bytes));
    }
  }

  const WideEpilogue epilogue_;  // a copy, which what is written cannot change
  __m512i bias_[kVectors];
  __m512 multipliers_[kVectors];
  const std::int32_t* sums_;
  const Targets<kTileRows>* targets_;
  std::uint8_t* output_;
  const std::uint8_t* other_;
  std::uint8_t* to_;         // the next row of a whole tile
  const std::uint8_t* its_;  // of the other operand
  std::ptrdiff_t output_step_;
  std::ptrdiff_t other_step_;
  __mmask32 mask_;
  int rows_;  // of a tile
  int row_ = 0;
  int left_;
};

}  // namespace
}  // namespace zeropoint::kernels
