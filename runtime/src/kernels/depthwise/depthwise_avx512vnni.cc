// 64 neighbouring bytes at a time: the bytes of four taps are interleaved, so that vpdpbusd sums them.

#include <immintrin.h>

#include "kernels/depthwise/depthwise.h"
#include "kernels/epilogue_avx512.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kBlock = 64;

/// Adds the products of four taps to the sums of 64 channels.
inline void add_taps(__m512i a, __m512i b, __m512i c, __m512i d, const std::int8_t* weights,
                     __m512i (&sums)[4]) {
  __m512i ab_low = _mm512_unpacklo_epi8(a, b);
  __m512i ab_high = _mm512_unpackhi_epi8(a, b);
  __m512i cd_low = _mm512_unpacklo_epi8(c, d);
  __m512i cd_high = _mm512_unpackhi_epi8(c, d);
  const auto* w = reinterpret_cast<const __m512i*>(weights);
  sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_unpacklo_epi16(ab_low, cd_low), _mm512_load_si512(w));
  sums[1] = _mm512_dpbusd_epi32(sums[1], _mm512_unpackhi_epi16(ab_low, cd_low), _mm512_load_si512(w + 1));
  sums[2] = _mm512_dpbusd_epi32(sums[2], _mm512_unpacklo_epi16(ab_high, cd_high), _mm512_load_si512(w + 2));
  sums[3] = _mm512_dpbusd_epi32(sums[3], _mm512_unpackhi_epi16(ab_high, cd_high), _mm512_load_si512(w + 3));
}

/// `count` neighbouring bytes of the output, the first of which belongs to block 0. load(i, offset) gives
/// what a tap of that offset adds to the 64 bytes from byte i on.
template <typename Load>
void run_bytes(const DepthwiseParams& p, const WideEpilogue& epilogue, std::uint8_t* output,
               std::int64_t count, Load&& load) {
  std::int64_t quads = (p.tap_count + 3) / 4;
  std::int64_t block = 0;
  for (std::int64_t i = 0; i < count; i += kBlock) {
    const std::int8_t* weights = p.weights + block * quads * 4 * kBlock;
    const std::int32_t* bias = p.epilogue->bias + block * kBlock;
    const float* multipliers = p.epilogue->multipliers + block * kBlock;
    __m512i sums[4];
    for (int j = 0; j < 4; ++j) {
      sums[j] = _mm512_load_si512(bias + j * 16);
    }
    auto tap = [&](std::int64_t t) { return load(i, p.taps[t]); };
    std::int64_t t = 0;
    for (; t + 4 <= p.tap_count; t += 4, weights += 4 * kBlock) {
      add_taps(tap(t), tap(t + 1), tap(t + 2), tap(t + 3), weights, sums);
    }
    if (t < p.tap_count) {
      const __m512i zero = _mm512_setzero_si512();
      std::int64_t left = p.tap_count - t;
      add_taps(tap(t), left > 1 ? tap(t + 1) : zero, left > 2 ? tap(t + 2) : zero, zero, weights, sums);
    }
    const __m128i none = _mm_setzero_si128();
    __m512i q[4];
    for (int j = 0; j < 4; ++j) {
      q[j] = epilogue.rounded(sums[j], _mm512_load_ps(multipliers + j * 16), none);
    }
    __m512i bytes = epilogue.narrowed(q[0], q[1], q[2], q[3]);
    if (count - i >= kBlock) {
      _mm512_storeu_si512(output + i, bytes);
    } else {
      _mm512_mask_storeu_epi8(output + i, (std::uint64_t{1} << (count - i)) - 1, bytes);
    }
    block = block + 1 == p.blocks ? 0 : block + 1;
  }
}

}  // namespace

void depthwise_u8s8_s32_64_avx512vnni(const DepthwiseParams& p);
void depthwise_u8s8_s32_64_avx512vnni(const DepthwiseParams& p) {
  WideEpilogue epilogue(*p.epilogue);
  auto neighbours = [](const std::uint8_t* from) {
    return [from](std::int64_t i, std::ptrdiff_t offset) { return _mm512_loadu_si512(from + i + offset); };
  };
  if (p.output_step == p.channels && p.input_step == p.channels) {
    run_bytes(p, epilogue, p.output, p.positions * p.channels, neighbours(p.input));
    return;
  }
  if (p.output_step == p.channels && p.channels == 16) {
    // Four positions that are apart in the input; behind the last one it stands for them.
    run_bytes(p, epilogue, p.output, p.positions * p.channels, [&](std::int64_t i, std::ptrdiff_t offset) {
      auto position = [&](std::int64_t j) {
        std::int64_t x = i / 16 + j < p.positions ? i / 16 + j : p.positions - 1;
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p.input + x * p.input_step + offset));
      };
      __m512i bytes = _mm512_castsi128_si512(position(0));
      bytes = _mm512_inserti32x4(bytes, position(1), 1);
      bytes = _mm512_inserti32x4(bytes, position(2), 2);
      return _mm512_inserti32x4(bytes, position(3), 3);
    });
    return;
  }
  for (std::int64_t x = 0; x < p.positions; ++x) {
    run_bytes(p, epilogue, p.output + x * p.output_step, p.channels, neighbours(p.input + x * p.input_step));
  }
}

}  // namespace zeropoint::kernels
