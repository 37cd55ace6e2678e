#include <arm_neon.h>

#include "kernels/dot_f32/tile.h"

namespace zeropoint::kernels {
namespace {

struct Vector128 {
  static constexpr int kLanes = 4;
  using Float = float32x4_t;
  using Int = uint32x4_t;

  static Float zero() { return vdupq_n_f32(0); }
  static Float load(const float* from) { return vld1q_f32(from); }
  static Float broadcast(const float* from) { return vld1q_dup_f32(from); }
  static void store(float* to, Float x) { vst1q_f32(to, x); }
  static Float multiply_add(Float a, Float b, Float sum) { return vfmaq_f32(sum, a, b); }
  static Float multiply(Float a, Float b) { return vmulq_f32(a, b); }
  static Float subtract(Float a, Float b) { return vsubq_f32(a, b); }
  static Float to_float(Int x) { return vcvtq_f32_u32(x); }
  static Int load_bytes(const std::uint8_t* from) {
    uint32_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)))));
  }
  static Int low_half(Int x) { return vandq_u32(x, vdupq_n_u32(15)); }
  static Int high_half(Int x) { return vshrq_n_u32(x, 4); }
};

}  // namespace

void dot_f32_6x16_neon(const FloatDotParams& p);
void dot_f32_6x16_neon(const FloatDotParams& p) {
  if (p.quantized.bits == 0) {
    run_float_dot<Vector128, false, 6, 1>(p);
  } else {
    run_float_dot<Vector128, true, 4, 1>(p);
  }
}

}  // namespace zeropoint::kernels
