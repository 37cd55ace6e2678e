#include "kernels/peak/neon_float.h"

namespace zeropoint::kernels {
namespace {

struct Int8 {
  using Vector = int32x4_t;
  static constexpr std::int64_t kMultiplyAdds = 16;
  static Vector value(int v) { return vreinterpretq_s32_s8(vdupq_n_s8(static_cast<signed char>(v))); }
  static Vector add(Vector sum, Vector a, Vector b) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
  static float first(Vector v) { return static_cast<float>(vgetq_lane_s32(v, 0)); }
};

}  // namespace

PeakLoops peak_neondot() { return {loop_over_registers<Int8>, loop_over_registers<NeonFloat>}; }

}  // namespace zeropoint::kernels
