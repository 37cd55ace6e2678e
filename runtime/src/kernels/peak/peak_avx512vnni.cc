#include <immintrin.h>

#include "kernels/peak/registers.h"

namespace zeropoint::kernels {
namespace {

struct Int8 {
  using Vector = __m512i;
  static constexpr std::int64_t kMultiplyAdds = 64;
  static Vector value(int v) { return _mm512_set1_epi8(static_cast<char>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) { return _mm512_dpbusd_epi32(sum, a, b); }
  static float first(Vector v) { return static_cast<float>(_mm512_cvtsi512_si32(v)); }
};

struct Float {
  using Vector = __m512;
  static constexpr std::int64_t kMultiplyAdds = 16;
  static Vector value(int v) { return _mm512_set1_ps(static_cast<float>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) { return _mm512_fmadd_ps(a, b, sum); }
  static float first(Vector v) { return _mm512_cvtss_f32(v); }
};

}  // namespace

PeakLoops peak_avx512vnni() { return {loop_over_registers<Int8>, loop_over_registers<Float>}; }

}  // namespace zeropoint::kernels
