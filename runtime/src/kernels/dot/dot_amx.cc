// Matrix tiles: 16 positions by 64 bytes times 64 bytes by 16 channels, two by two at a time. Input tiles are
// loaded from the image itself, a position to a row.

#include <immintrin.h>

#include <algorithm>

#include "kernels/dot/dot.h"
#include "kernels/dot/end_tiles.h"
#include "kernels/dot/store_avx512.h"
#include "kernels/dot/walk.h"

namespace zeropoint::kernels {
namespace {

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

/// What is multiplied at once: two tiles of positions by two panels at most.
struct Block {
  const std::uint8_t* input[2];
  const std::int8_t* weights;
  std::ptrdiff_t panel_bytes;
  bool streams;  ///< the panels are not to drive the input out of the first cache
};

/// Tiles 0 to 3 hold the sums, 4 and 5 positions, 6 and 7 weights. meanwhile() is called after each step:
/// what it computes takes place while tiles are multiplied.
template <bool kTwoRows, bool kTwoPanels, typename Meanwhile>
inline void multiply(const DotParams& p, const Block& block, Meanwhile&& meanwhile) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const std::int8_t* weights = block.weights;
  const std::int8_t* more_weights = block.weights + block.panel_bytes;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    std::ptrdiff_t segment = p.segments[s];
    for (std::int64_t k = 0; k < p.segment_depth; k += kTileBytes) {
      if (block.streams) {
        _tile_stream_loadd(6, weights, kTileBytes);
      } else {
        _tile_loadd(6, weights, kTileBytes);
      }
      _tile_loadd(4, block.input[0] + segment + k, p.input_step);
      _tile_dpbusd(0, 4, 6);
      if constexpr (kTwoPanels) {
        if (block.streams) {
          _tile_stream_loadd(7, more_weights, kTileBytes);
        } else {
          _tile_loadd(7, more_weights, kTileBytes);
        }
        _tile_dpbusd(1, 4, 7);
      }
      if constexpr (kTwoRows) {
        _tile_loadd(5, block.input[1] + segment + k, p.input_step);
        _tile_dpbusd(2, 5, 6);
        if constexpr (kTwoPanels) {
          _tile_dpbusd(3, 5, 7);
        }
      }
      weights += kTileBytes * kPanel;
      more_weights += kTileBytes * kPanel;
      meanwhile();
    }
  }
}

template <bool kTwoRows, bool kTwoPanels>
void store_tiles(Sums& sums) {
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

/// Tiles are multiplied while the sums of those before them are finished.
class Run {
 public:
  explicit Run(const DotParams& p)
      : all_(p),
        p_(p),
        epilogue_(*p.epilogue),
        panel_bytes_(p.segment_count * p.segment_depth * kPanel),
        rows_(rows_of(p)) {
    // Two tiles by two panels are 16 pieces of 64 bytes.
    std::int64_t steps = p.segment_count * p.segment_depth / kTileBytes;
    pieces_a_step_ = static_cast<int>((16 + steps - 1) / steps);
  }

  /// Positions meet all panels before the next ones do, as long as the panels stay near.
  void all() {
    constexpr std::ptrdiff_t kNear = 768 << 10;     // bytes of weights
    constexpr std::ptrdiff_t kFirst = 40 << 10;     // that the first cache has room for
    bool input_stays = 2 * panel_bytes_ <= kFirst;  // two tiles of positions are as large as two panels
    std::int64_t panels = 2 * std::max<std::int64_t>(1, kNear / (2 * panel_bytes_));
    for (std::int64_t first = p_.first_channel; first < p_.channels; first += panels * kPanel) {
      std::int64_t end = std::min(p_.channels, first + panels * kPanel);
      streams_ = input_stays && (end - first) / kPanel * panel_bytes_ > kFirst;
      for (std::int64_t run = 0; run < p_.runs; ++run, to_next_run(p_)) {
        channels(first, end);
      }
      p_ = all_;
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
      now.output = p_.output;
      now.other = p_.other;
      now.count = position + kTileRows < p_.positions ? 2 : 1;
      for (int i = 0; i < now.count; ++i) {
        now.starts[i] = std::min(position + i * kTileRows, last);
        if (now.starts[i] != walked) {
          walk.seek(now.starts[i]);
        }
        walk.take(rows_, now.targets[i]);
        walked = now.starts[i] + rows_;
      }
      now.whole = rows_ == kTileRows && p_.channels % kPanel == 0 && now.targets[0].in_row &&
                  (now.count == 1 || now.targets[1].in_row);
      for (int i = 0; i < now.count && !now.whole; ++i) {
        if (now.targets[i].in_row) {
          spread(p_, rows_, now.targets[i]);
        }
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
        streams_};
    if (now.count == 2) {
      two_panels ? multiply_two<2>(block) : multiply_two<1>(block);
    } else {
      two_panels ? multiply_and_store<false, true>(block) : multiply_and_store<false, false>(block);
    }
    pending_ = {&now, channel, two_panels ? 2 : 1};
  }

  /// Two tiles of positions.
  template <int kPanels>
  void multiply_two(const Block& block) {
    bool adds = epilogue_.kind == EpilogueKind::kAdd;
    if (pending_.panels != kPanels || !ends_as_bytes() || (adds && !pending_.positions->whole)) {
      multiply_and_store<true, kPanels == 2>(block);
    } else if (adds) {
      multiply_while_ending<true, kPanels, true>(block);
    } else if (pending_.positions->whole) {
      multiply_while_ending<false, kPanels, true>(block);
    } else {
      multiply_while_ending<false, kPanels, false>(block);
    }
  }

  /// Whether something waits that Ending can bring out.
  [[nodiscard]] bool ends_as_bytes() const {
    return pending_.positions != nullptr && p_.row_bias == nullptr &&
           epilogue_.kind != EpilogueKind::kAccumulators;
  }

  template <bool kAdd, int kPanels, bool kWhole>
  void multiply_while_ending(const Block& block) {
    Ending<kAdd, kPanels, kWhole> ending(p_, epilogue_, pending_, sums_, rows_);
    const int pieces = pieces_a_step_;
    multiply<true, kPanels == 2>(p_, block, [&] {
      for (int i = 0; i < pieces && !ending.done(); ++i) {
        ending.some_rows();
      }
    });
    store_tiles<true, kPanels == 2>(sums_);
  }

  template <bool kTwoRows, bool kTwoPanels>
  void multiply_and_store(const Block& block) {
    multiply<kTwoRows, kTwoPanels>(p_, block, [] {});
    finish();
    store_tiles<kTwoRows, kTwoPanels>(sums_);
  }

  /// What was multiplied before.
  void finish() {
    if (ends_as_bytes()) {
      bool adds = epilogue_.kind == EpilogueKind::kAdd;
      if (pending_.panels == 2) {
        adds ? end<true, 2>() : end<false, 2>();
      } else {
        adds ? end<true, 1>() : end<false, 1>();
      }
      return;
    }
    for (int tile = 0; pending_.positions != nullptr && tile < pending_.positions->count; ++tile) {
      finish_tile(tile);
    }
  }

  template <bool kAdd, int kPanels>
  void end() {
    pending_.positions->whole ? end_all<kAdd, kPanels, true>() : end_all<kAdd, kPanels, false>();
  }

  template <bool kAdd, int kPanels, bool kWhole>
  [[gnu::noinline]] void end_all() {
    Ending<kAdd, kPanels, kWhole> ending(p_, epilogue_, pending_, sums_, rows_);
    while (!ending.done()) {
      ending.some_rows();
    }
  }

  void finish_tile(int tile) {
    std::int32_t(*sums)[2 * kPanel] = sums_.of + tile * kTileRows;
    const std::int32_t* row_bias =
        p_.row_bias == nullptr ? nullptr : p_.row_bias + pending_.positions->starts[tile];
    for (int v = 0; v < pending_.panels; ++v) {
      __m512i bias = _mm512_loadu_si512(p_.epilogue->bias + pending_.channel + v * kPanel);
      for (int r = 0; r < rows_; ++r) {
        std::int32_t* vector = sums[r] + v * kPanel;
        __m512i of_row = _mm512_set1_epi32(row_bias == nullptr ? 0 : row_bias[r]);
        _mm512_store_si512(vector,
                           _mm512_add_epi32(_mm512_load_si512(vector), _mm512_add_epi32(bias, of_row)));
      }
    }
    Targets<kTileRows> each = pending_.positions->targets[tile];
    DotParams of_run = p_;
    of_run.output = pending_.positions->output;
    of_run.other = pending_.positions->other;
    store_any(of_run, epilogue_, pending_.channel, pending_.panels, rows_, each, sums[0], 2 * kPanel);
  }

  const DotParams& all_;
  DotParams p_;  // of a run
  WideEpilogue epilogue_;
  std::ptrdiff_t panel_bytes_;
  int rows_;
  int pieces_a_step_;
  bool streams_ = false;
  Sums sums_;
  Positions positions_[2] = {};
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
