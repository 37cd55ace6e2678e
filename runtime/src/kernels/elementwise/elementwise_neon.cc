#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {

ElementwiseKernels elementwise_neon();
ElementwiseKernels elementwise_neon() { return all_loops("elementwise_neon", Isa::kNeon); }

}  // namespace zeropoint::kernels
