#pragma once

// Included by files with instruction-set flags, each of which gets its own.

#include <arm_neon.h>

#include "kernels/peak/registers.h"

namespace zeropoint::kernels {
namespace {

struct NeonFloat {
  using Vector = float32x4_t;
  static constexpr std::int64_t kMultiplyAdds = 4;
  static Vector value(int v) { return vdupq_n_f32(static_cast<float>(v)); }
  static Vector add(Vector sum, Vector a, Vector b) { return vfmaq_f32(sum, a, b); }
  static float first(Vector v) { return vgetq_lane_f32(v, 0); }
};

}  // namespace
}  // namespace zeropoint::kernels
