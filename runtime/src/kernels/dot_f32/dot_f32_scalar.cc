#include <cmath>

#include "kernels/dot_f32/tile.h"

namespace zeropoint::kernels {
namespace {

struct Lane {
  static constexpr int kLanes = 1;
  using Float = float;
  using Int = std::int32_t;

  static Float zero() { return 0; }
  static Float load(const float* from) { return *from; }
  static Float broadcast(const float* from) { return *from; }
  static void store(float* to, Float x) { *to = x; }
  static Float multiply_add(Float a, Float b, Float sum) { return std::fma(a, b, sum); }
  static Float multiply(Float a, Float b) { return a * b; }
  static Float subtract(Float a, Float b) { return a - b; }
  static Float to_float(Int x) { return static_cast<float>(x); }
  static Int load_bytes(const std::uint8_t* from) { return *from; }
  static Int low_half(Int x) { return x & 15; }
  static Int high_half(Int x) { return x >> 4; }
};

}  // namespace

void dot_f32_4x16_scalar(const FloatDotParams& p);
void dot_f32_4x16_scalar(const FloatDotParams& p) {
  if (p.quantized.bits == 0) {
    run_float_dot<Lane, false, 4, 1>(p);
  } else {
    run_float_dot<Lane, true, 4, 1>(p);
  }
}

}  // namespace zeropoint::kernels
