#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {

ElementwiseKernels elementwise_avx2();
ElementwiseKernels elementwise_avx2() { return all_loops("elementwise_avx2", Isa::kAvx2); }

}  // namespace zeropoint::kernels
