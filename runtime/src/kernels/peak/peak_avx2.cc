#include <immintrin.h>

#include "kernels/peak/registers.h"

namespace zeropoint::kernels {
namespace {

/// Products without VNNI: two are added in 16 bits, exact for weights that were split for it, and two such
/// sums with the accumulator.
struct Int8 {
  using Vector = __m256i;
  static constexpr std::int64_t kMultiplyAdds = 32;
  static Vector value(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) {
    Vector pairs;
    // As the intrinsic it would be taken out of the loop.
    asm volatile("vpmaddubsw %2, %1, %0" : "=x"(pairs) : "x"(a), "x"(b));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
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

PeakLoops peak_avx2() { return {loop_over_registers<Int8>, loop_over_registers<Float>}; }

}  // namespace zeropoint::kernels
