#include "kernels/elementwise/loops.h"
#include "kernels/elementwise/pixel_order.h"

namespace zeropoint::kernels {
namespace {

/// Blocks of each plane, whose bytes then meet in pixels. They are filled up to whole vectors.
void quantize_three_16(const float* in, std::ptrdiff_t plane, std::uint8_t* out, std::int64_t count,
                       const QuantizeParams& params) {
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    std::int64_t size = std::min(kBlock, count - begin);
    alignas(16) std::uint8_t bytes[3][kBlock];
    for (int p = 0; p < 3; ++p) {
      quantize(in + p * plane + begin, bytes[p], size, params);
    }
    for (std::int64_t i = 0; i < size; i += 16) {
      __m128i planes[3];
      for (int p = 0; p < 3; ++p) {
        planes[p] = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes[p] + i));
      }
      std::uint8_t* to = out + 3 * (begin + i);
      alignas(16) std::uint8_t last[48];
      bool whole = i + 16 <= size;
      for (int vector = 0; vector < 3; ++vector) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(whole ? to : last) + vector, pixels_of(planes, vector));
      }
      if (!whole) {
        std::copy_n(last, 3 * (size - i), to);
      }
    }
  }
}

}  // namespace

extern const ElementwiseKernels elementwise_avx2;
constexpr ElementwiseKernels elementwise_avx2 = [] {
  ElementwiseKernels kernels = all_loops("elementwise_avx2", Isa::kAvx2);
  kernels.quantize_three = quantize_three_16;
  return kernels;
}();

}  // namespace zeropoint::kernels
