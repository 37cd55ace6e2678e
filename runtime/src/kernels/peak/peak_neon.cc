#include "kernels/peak/neon_float.h"

namespace zeropoint::kernels {
namespace {

/// Exact products without the dot product: 16 bits, each added to a sum.
struct Int8 {
  using Vector = int32x4_t;
  static constexpr std::int64_t kMultiplyAdds = 4;
  static Vector value(int v) { return vreinterpretq_s32_s16(vdupq_n_s16(static_cast<short>(v))); }
  static Vector add(Vector sum, Vector a, Vector b) {
    return vmlal_s16(sum, vget_low_s16(vreinterpretq_s16_s32(a)), vget_low_s16(vreinterpretq_s16_s32(b)));
  }
  static float first(Vector v) { return static_cast<float>(vgetq_lane_s32(v, 0)); }
};

}  // namespace

PeakLoops peak_neon() { return {loop_over_registers<Int8>, loop_over_registers<NeonFloat>}; }

}  // namespace zeropoint::kernels
