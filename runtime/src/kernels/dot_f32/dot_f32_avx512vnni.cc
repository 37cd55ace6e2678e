#include <immintrin.h>

#include "kernels/dot_f32/tile.h"

namespace zeropoint::kernels {
namespace {

struct Vector512 {
  static constexpr int kLanes = 16;
  using Float = __m512;
  using Int = __m512i;

  static Float zero() { return _mm512_setzero_ps(); }
  static Float load(const float* from) { return _mm512_loadu_ps(from); }
  static Float broadcast(const float* from) { return _mm512_set1_ps(*from); }
  static void store(float* to, Float x) { _mm512_storeu_ps(to, x); }
  static Float multiply_add(Float a, Float b, Float sum) { return _mm512_fmadd_ps(a, b, sum); }
  static Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float subtract(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float to_float(Int x) { return _mm512_cvtepi32_ps(x); }
  static Int load_bytes(const std::uint8_t* from) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Int low_half(Int x) { return _mm512_and_si512(x, _mm512_set1_epi32(15)); }
  static Int high_half(Int x) { return _mm512_srli_epi32(x, 4); }
};

}  // namespace

void dot_f32_6x64_avx512vnni(const FloatDotParams& p);
void dot_f32_6x64_avx512vnni(const FloatDotParams& p) {
  if (p.quantized.bits == 0) {
    run_float_dot<Vector512, false, 6, 4>(p);
  } else {
    run_float_dot<Vector512, true, 6, 2>(p);  // scales and zeros take registers too
  }
}

}  // namespace zeropoint::kernels
