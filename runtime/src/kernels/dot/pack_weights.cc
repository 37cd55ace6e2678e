#include <algorithm>
#include <cstring>

#include "kernels/dot/dot.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace zeropoint::kernels {
namespace {

/// Four bytes of one channel after the other, `panel` channels apart.
void spread_quads(const std::int8_t* in, std::int64_t depth, std::int64_t panel, std::int8_t* out) {
  for (std::int64_t k = 0; k < depth; k += 4, out += 4 * panel) {
    std::memcpy(out, in + k, static_cast<std::size_t>(std::min<std::int64_t>(4, depth - k)));
  }
}

/// The same of four channels, `step` apart in the input.
void spread_quads_of_four(const std::int8_t* in, std::ptrdiff_t step, std::int64_t depth, std::int64_t panel,
                          std::int8_t* out) {
  std::int64_t k = 0;
#if defined(__SSE2__)
  for (; k + 16 <= depth; k += 16, out += 16 * panel) {
    auto load = [&](int channel) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + channel * step + k));
    };
    auto store = [&](int quad, __m128i low, __m128i high, bool upper) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + quad * 4 * panel),
                       upper ? _mm_unpackhi_epi64(low, high) : _mm_unpacklo_epi64(low, high));
    };
    __m128i a = load(0);
    __m128i b = load(1);
    __m128i c = load(2);
    __m128i d = load(3);
    __m128i ab[2] = {_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b)};
    __m128i cd[2] = {_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d)};
    for (int quad = 0; quad < 4; ++quad) {
      store(quad, ab[quad / 2], cd[quad / 2], quad % 2 == 1);
    }
  }
#endif
  for (int channel = 0; channel < 4; ++channel) {
    spread_quads(in + channel * step + k, depth - k, panel, out + 4 * channel);
  }
}

}  // namespace

void pack_dot_panel(const std::int8_t* weights, std::int64_t channels, std::int64_t segments,
                    std::int64_t depth, std::int64_t panel, std::int64_t unit, std::int8_t* packed) {
  constexpr std::int64_t kLine = 64;  // of each channel at a time, however far apart channels are
  std::int64_t filled = (depth + unit - 1) / unit * unit;
  std::ptrdiff_t step = segments * depth;
  for (std::int64_t s = 0; s < segments; ++s, packed += filled * panel) {
    for (std::int64_t k = 0; k < depth; k += kLine) {
      std::int64_t count = std::min(kLine, depth - k);
      const std::int8_t* in = weights + s * depth + k;
      std::int8_t* out = packed + k * panel;
      std::int64_t m = 0;
      for (; m + 4 <= channels; m += 4) {
        spread_quads_of_four(in + m * step, step, count, panel, out + 4 * m);
      }
      for (; m < channels; ++m) {
        spread_quads(in + m * step, count, panel, out + 4 * m);
      }
    }
  }
}

AlignedVector<std::int8_t> pack_dot(std::span<const std::int8_t> weights, std::int64_t channels,
                                    std::int64_t segments, std::int64_t depth, std::int64_t panel,
                                    std::int64_t unit) {
  AlignedVector<std::int8_t> packed(
      static_cast<std::size_t>(packed_size(channels, segments, depth, panel, unit)));
  for (std::int64_t first = 0; first < channels; first += panel) {
    pack_dot_panel(weights.data() + first * segments * depth, std::min(panel, channels - first), segments,
                   depth, panel, unit, packed.data() + packed_size(first, segments, depth, panel, unit));
  }
  return packed;
}

}  // namespace zeropoint::kernels
