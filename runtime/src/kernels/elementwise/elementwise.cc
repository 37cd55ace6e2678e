#include "kernels/elementwise/elementwise.h"

#include <algorithm>
#include <iterator>

#include "kernels/isa.h"

namespace zeropoint::kernels {

// Constants: no code of a set that this machine may not have is needed to read them.
#define ZP_ELEMENTWISE_KERNELS(set, isa) extern const ElementwiseKernels elementwise_##set;
#include "kernels/elementwise/kernels.inc"

std::span<const ElementwiseKernels> elementwise_kernels() {
  static const ElementwiseKernels kKernels[] = {
#define ZP_ELEMENTWISE_KERNELS(set, isa) elementwise_##set,
#include "kernels/elementwise/kernels.inc"
  };
  return kKernels;
}

const ElementwiseKernels& elementwise_for(Isa isa) {
  std::span<const ElementwiseKernels> all = elementwise_kernels();
  return *std::find_if(all.begin(), all.end(),
                       [&](const ElementwiseKernels& kernels) { return includes(isa, kernels.isa); });
}

}  // namespace zeropoint::kernels
