#include <immintrin.h>

#include "kernels/peak/registers.h"

namespace zeropoint::kernels {
namespace {

struct Int8 {
  using Vector = __m256i;
  static constexpr std::int64_t kMultiplyAdds = 32;
  static Vector value(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) { return _mm256_dpbusd_avx_epi32(sum, a, b); }
  static float first(Vector v) { return static_cast<float>(_mm256_cvtsi256_si32(v)); }
};

struct Float {
  using Vector = __m256;
  static constexpr std::int64_t kMultiplyAdds = 8;
  static Vector value(int v) { return _mm256_set1_ps(static_cast<float>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) { return _mm256_fmadd_ps(a, b, sum); }
  static float first(Vector v) { return _mm256_cvtss_f32(v); }
};

}  // namespace

PeakLoops peak_avxvnni() { return {loop_over_registers<Int8>, loop_over_registers<Float>}; }

}  // namespace zeropoint::kernels
