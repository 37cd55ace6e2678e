#include <immintrin.h>

#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {
namespace {

/// Stores 16 bytes, or the first `count` of fewer. Quantization is clamped before it is rounded, as in
/// loops.h.
void quantize_16(const float* in, std::uint8_t* out, std::int64_t count, const QuantizeParams& params) {
  const __m512 scale = _mm512_set1_ps(params.scale);
  const __m512 low = _mm512_set1_ps(static_cast<float>(std::int32_t{params.low} - params.zero_point));
  const __m512 high = _mm512_set1_ps(static_cast<float>(std::int32_t{params.high} - params.zero_point));
  const __m512i zero_point = _mm512_set1_epi32(params.zero_point);
  for (std::int64_t i = 0; i < count; i += 16) {
    std::int64_t left = count - i;
    __mmask16 mask = left >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << left) - 1);
    __m512 x = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, in + i), scale);
    x = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);  // 0 for NaN
    x = _mm512_min_ps(_mm512_max_ps(x, low), high);
    __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(x), zero_point);
    _mm_mask_storeu_epi8(out + i, mask, _mm512_cvtepi32_epi8(q));
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
  kernels.maximum_of_pixels = maximum_of_pixels_64;
  return kernels;
}

}  // namespace zeropoint::kernels
