#include "kernels/float/float.h"

#include <algorithm>

#include "kernels/isa.h"

namespace zeropoint::kernels {

// Constants: no code of a set that this machine may not have is needed to read them.
#define ZP_FLOAT_KERNELS(set, isa) extern const FloatKernels float_##set;
#include "kernels/float/kernels.inc"

std::span<const FloatKernels> float_kernels() {
  static const FloatKernels kKernels[] = {
#define ZP_FLOAT_KERNELS(set, isa) float_##set,
#include "kernels/float/kernels.inc"
  };
  return kKernels;
}

const FloatKernels& float_kernels_for(Isa isa) {
  std::span<const FloatKernels> all = float_kernels();
  return *std::find_if(all.begin(), all.end(),
                       [&](const FloatKernels& kernels) { return includes(isa, kernels.isa); });
}

}  // namespace zeropoint::kernels
