#include <immintrin.h>

#include "kernels/peak/registers.h"

namespace zeropoint::kernels {
namespace {

/// Intel, instruction set reference, LDTILECFG.
struct TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

/// Four tiles of sums, as kernels have them.
PeakWork int8_loop(std::int64_t rounds) {
  constexpr std::int64_t kRows = 16;
  constexpr std::int64_t kDepth = 64;
  constexpr std::int64_t kChannels = 16;
  alignas(64) TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.rows[tile] = kRows;
    config.row_bytes[tile] = kDepth;
  }
  alignas(64) std::int32_t memory[kRows * kChannels] = {};
  _tile_loadconfig(&config);
  _tile_loadd(4, memory, kDepth);
  _tile_loadd(5, memory, kDepth);
  _tile_loadd(6, memory, kDepth);
  _tile_loadd(7, memory, kDepth);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t round = 0; round < rounds; ++round) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_stored(0, memory, kDepth);
  _tile_release();
  return {rounds * 4 * kRows * kDepth * kChannels, static_cast<float>(memory[0])};
}

struct Float {
  using Vector = __m512;
  static constexpr std::int64_t kMultiplyAdds = 16;
  static Vector value(int v) { return _mm512_set1_ps(static_cast<float>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) { return _mm512_fmadd_ps(a, b, sum); }
  static float first(Vector v) { return _mm512_cvtss_f32(v); }
};

}  // namespace

PeakLoops peak_amx() { return {int8_loop, loop_over_registers<Float>}; }

}  // namespace zeropoint::kernels
