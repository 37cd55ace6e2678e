#include "kernels/dot_f32/dot_f32.h"

#include <algorithm>

#include "kernels/isa.h"

namespace zeropoint::kernels {

#define ZP_FLOAT_DOT_KERNEL(function, isa) void function(const FloatDotParams& params);
#include "kernels/dot_f32/kernels.inc"

namespace {

constexpr FloatDotKernel kKernels[] = {
#define ZP_FLOAT_DOT_KERNEL(function, isa) {#function, Isa::isa, function},
#include "kernels/dot_f32/kernels.inc"
};

}  // namespace

std::span<const FloatDotKernel> float_dot_kernels() { return kKernels; }

const FloatDotKernel& float_dot_for(Isa isa) {
  return *std::find_if(std::begin(kKernels), std::end(kKernels),
                       [&](const FloatDotKernel& kernel) { return includes(isa, kernel.isa); });
}

void pack_float_panels(const float* matrix, std::int64_t depth, std::int64_t columns,
                       std::ptrdiff_t depth_step, std::ptrdiff_t column_step, float* panels) {
  for (std::int64_t first = 0; first < columns; first += kFloatPanel) {
    std::int64_t count = std::min(kFloatPanel, columns - first);
    const float* from = matrix + first * column_step;
    for (std::int64_t k = 0; k < depth; ++k, from += depth_step, panels += kFloatPanel) {
      if (column_step == 1 && count == kFloatPanel) {
        std::copy_n(from, kFloatPanel, panels);
        continue;
      }
      for (std::int64_t c = 0; c < count; ++c) {
        panels[c] = from[c * column_step];
      }
      std::fill(panels + count, panels + kFloatPanel, 0.0F);
    }
  }
}

}  // namespace zeropoint::kernels
