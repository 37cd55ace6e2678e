#include <immintrin.h>

#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {
namespace {

/// Quantization of 16 reals, clamped before they are rounded as in loops.h.
class Quantize16 {
 public:
  explicit Quantize16(const QuantizeParams& params)
      : scale_(_mm512_set1_ps(params.scale)),
        low_(_mm512_set1_ps(static_cast<float>(std::int32_t{params.low} - params.zero_point))),
        high_(_mm512_set1_ps(static_cast<float>(std::int32_t{params.high} - params.zero_point))),
        zero_point_(_mm512_set1_epi32(params.zero_point)) {}

  __m128i operator()(const float* in, __mmask16 mask) const {
    __m512 x = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, in), scale_);
    x = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);  // 0 for NaN
    x = _mm512_min_ps(_mm512_max_ps(x, low_), high_);
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(x), zero_point_));
  }

 private:
  __m512 scale_, low_, high_;
  __m512i zero_point_;
};

__mmask16 first_lanes(std::int64_t count) {
  return count >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << count) - 1);
}

void quantize_16(const float* in, std::uint8_t* out, std::int64_t count, const QuantizeParams& params) {
  Quantize16 quantize(params);
  for (std::int64_t i = 0; i < count; i += 16) {
    __mmask16 mask = first_lanes(count - i);
    _mm_mask_storeu_epi8(out + i, mask, quantize(in + i, mask));
  }
}

/// Byte i of the 48 is element i / 3 of plane i % 3.
void quantize_three_16(const float* in, std::ptrdiff_t plane, std::uint8_t* out, std::int64_t count,
                       const QuantizeParams& params) {
  Quantize16 quantize(params);
  alignas(16) std::uint8_t order[3][3][16];  // [plane][vector of the result]
  for (int p = 0; p < 3; ++p) {
    for (int i = 0; i < 48; ++i) {
      order[p][i / 16][i % 16] = static_cast<std::uint8_t>(i % 3 == p ? i / 3 : 0x80);
    }
  }
  auto shuffle = [&](__m128i bytes, int p, int vector) {
    return _mm_shuffle_epi8(bytes, _mm_load_si128(reinterpret_cast<const __m128i*>(order[p][vector])));
  };
  for (std::int64_t i = 0; i < count; i += 16) {
    __mmask16 mask = first_lanes(count - i);
    __m128i planes[3];
    for (int p = 0; p < 3; ++p) {
      planes[p] = quantize(in + p * plane + i, mask);
    }
    for (int vector = 0; vector < 3; ++vector) {
      __m128i bytes = _mm_or_si128(_mm_or_si128(shuffle(planes[0], 0, vector), shuffle(planes[1], 1, vector)),
                                   shuffle(planes[2], 2, vector));
      std::int64_t left = 3 * (count - i) - 16 * vector;
      if (left > 0) {
        _mm_mask_storeu_epi8(out + 3 * i + 16 * vector, first_lanes(left), bytes);
      }
    }
  }
}

/// 64 channels at a time, of fewer those that there are.
void maximum_of_pixels_64(const MaximumParams& params) {
  const MaximumParams p = params;
  for (std::int64_t c = 0; c < p.channels; c += 64) {
    std::int64_t count = std::min<std::int64_t>(64, p.channels - c);
    __mmask64 mask = ~std::uint64_t{0} >> (64 - count);
    const std::uint8_t* in = p.input + c;
    std::uint8_t* out = p.output + c;
    for (std::int64_t x = 0; x < p.positions; ++x, in += p.step, out += p.output_step) {
      __m512i largest = _mm512_maskz_loadu_epi8(mask, in);
      for (std::int64_t t = 1; t < p.taps; ++t) {
        largest = _mm512_max_epu8(largest, _mm512_maskz_loadu_epi8(mask, in + t * p.tap_step));
      }
      _mm512_mask_storeu_epi8(out, mask, largest);
    }
  }
}

}  // namespace

ElementwiseKernels elementwise_avx512vnni();
ElementwiseKernels elementwise_avx512vnni() {
  ElementwiseKernels kernels = all_loops("elementwise_avx512vnni", Isa::kAvx512Vnni);
  kernels.quantize = quantize_16;
  kernels.quantize_three = quantize_three_16;
  kernels.maximum_of_pixels = maximum_of_pixels_64;
  return kernels;
}

}  // namespace zeropoint::kernels
