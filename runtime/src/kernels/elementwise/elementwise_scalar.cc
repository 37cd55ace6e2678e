#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {

ElementwiseKernels elementwise_scalar();
ElementwiseKernels elementwise_scalar() { return all_loops("elementwise_scalar", Isa::kScalar); }

}  // namespace zeropoint::kernels
