// Matrix tiles: 16 positions by 64 bytes times 64 bytes by 16 channels, two by two at a time. Input tiles are
// loaded from the image itself, a position to a row.

#include <immintrin.h>

#include <algorithm>

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
                const Targets<kTileRows>& targets, const std::int32_t (*sums)[2 * kPanel]) {
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
  Targets<kTileRows> each = targets;
  store_any(p, epilogue, channel, kVectors, rows, each, sums[0], 2 * kPanel);
}

/// Up to two tiles of positions, and where they go.
struct Positions {
  std::int64_t starts[2];
  int count;
  Targets<kTileRows> targets[2];
};

/// Sums on their way out: of some positions by one or two panels.
struct Pending {
  const Positions* positions = nullptr;
  std::int64_t channel = 0;
  bool two_panels = false;
  int turn = 0;  ///< which sums
};

/// Tiles are multiplied while the sums of those before them are finished.
class Run {
 public:
  explicit Run(const DotParams& p)
      : p_(p),
        epilogue_(*p.epilogue),
        panel_bytes_(p.segment_count * p.segment_depth * kPanel),
        rows_(rows_of(p)) {}

  /// Positions meet all panels before the next ones do, as long as the panels stay near.
  void all() {
    constexpr std::ptrdiff_t kNear = 768 << 10;  // bytes of weights
    std::int64_t panels = 2 * std::max<std::int64_t>(1, kNear / (2 * panel_bytes_));
    for (std::int64_t first = p_.first_channel; first < p_.channels; first += panels * kPanel) {
      channels(first, std::min(p_.channels, first + panels * kPanel));
    }
    finish();
  }

 private:
  void channels(std::int64_t first, std::int64_t end) {
    Walk walk(p_);
    std::int64_t walked = p_.first_position;
    // The last tile begins where it ends with the last position: what two tiles share is computed twice.
    std::int64_t last = p_.positions - rows_;
    for (std::int64_t position = p_.first_position; position < p_.positions; position += 2 * kTileRows) {
      Positions& now = positions_[turn_of_positions_];
      turn_of_positions_ = 1 - turn_of_positions_;
      now.count = position + kTileRows < p_.positions ? 2 : 1;
      for (int i = 0; i < now.count; ++i) {
        now.starts[i] = std::min(position + i * kTileRows, last);
        if (now.starts[i] != walked) {
          walk.seek(now.starts[i]);
        }
        walk.take(rows_, now.targets[i]);
        walked = now.starts[i] + rows_;
      }
      for (std::int64_t channel = first; channel < end; channel += 2 * kPanel) {
        multiply_with(now, channel, end - channel > kPanel);
      }
    }
  }

  void multiply_with(const Positions& now, std::int64_t channel, bool two_panels) {
    Block block{
        {p_.input + now.starts[0] * p_.input_step, p_.input + now.starts[now.count - 1] * p_.input_step},
        p_.weights + channel / kPanel * panel_bytes_,
        panel_bytes_,
        p_.epilogue->bias + channel};
    if (now.count == 2) {
      two_panels ? multiply<true, true>(p_, block, sums_[turn_])
                 : multiply<true, false>(p_, block, sums_[turn_]);
    } else {
      two_panels ? multiply<false, true>(p_, block, sums_[turn_])
                 : multiply<false, false>(p_, block, sums_[turn_]);
    }
    finish();
    pending_ = {&now, channel, two_panels, turn_};
    turn_ = 1 - turn_;
  }

  /// What was multiplied before.
  void finish() {
    for (int i = 0; pending_.positions != nullptr && i < pending_.positions->count; ++i) {
      std::int32_t(*sums)[2 * kPanel] = sums_[pending_.turn].of + i * kTileRows;
      if (p_.row_bias != nullptr) {
        add_row_bias(p_.row_bias + pending_.positions->starts[i], rows_, sums);
      }
      const Targets<kTileRows>& targets = pending_.positions->targets[i];
      if (pending_.two_panels) {
        store_rows<2>(p_, epilogue_, pending_.channel, rows_, targets, sums);
      } else {
        store_rows<1>(p_, epilogue_, pending_.channel, rows_, targets, sums);
      }
    }
    pending_.positions = nullptr;
  }

  const DotParams& p_;
  WideEpilogue epilogue_;
  std::ptrdiff_t panel_bytes_;
  int rows_;
  Sums sums_[2];
  int turn_ = 0;
  Positions positions_[2];
  int turn_of_positions_ = 0;
  Pending pending_;
};

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
void dot_u8s8_s32_32x32_amx(const DotParams& p) { Run(p).all(); }

}  // namespace zeropoint::kernels
