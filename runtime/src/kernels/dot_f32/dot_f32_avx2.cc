#include <immintrin.h>

#include "kernels/dot_f32/tile.h"

namespace zeropoint::kernels {
namespace {

struct Vector256 {
  static constexpr int kLanes = 8;
  using Float = __m256;
  using Int = __m256i;

  static Float zero() { return _mm256_setzero_ps(); }
  static Float load(const float* from) { return _mm256_loadu_ps(from); }
  static Float broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  static void store(float* to, Float x) { _mm256_storeu_ps(to, x); }
  static Float multiply_add(Float a, Float b, Float sum) { return _mm256_fmadd_ps(a, b, sum); }
  static Float multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float subtract(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float to_float(Int x) { return _mm256_cvtepi32_ps(x); }
  static Int load_bytes(const std::uint8_t* from) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  }
  static Int low_half(Int x) { return _mm256_and_si256(x, _mm256_set1_epi32(15)); }
  static Int high_half(Int x) { return _mm256_srli_epi32(x, 4); }
};

}  // namespace

void dot_f32_6x16_avx2(const FloatDotParams& p);
void dot_f32_6x16_avx2(const FloatDotParams& p) {
  if (p.quantized.bits == 0) {
    run_float_dot<Vector256, false, 6, 1>(p);
  } else {
    run_float_dot<Vector256, true, 4, 1>(p);
  }
}

}  // namespace zeropoint::kernels
