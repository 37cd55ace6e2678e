#include <immintrin.h>

#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {
namespace {

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
  kernels.maximum_of_pixels = maximum_of_pixels_64;
  return kernels;
}

}  // namespace zeropoint::kernels
