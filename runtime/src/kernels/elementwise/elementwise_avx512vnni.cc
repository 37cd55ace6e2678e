#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {

ElementwiseKernels elementwise_avx512vnni();
ElementwiseKernels elementwise_avx512vnni() { return all_loops("elementwise_avx512vnni", Isa::kAvx512Vnni); }

}  // namespace zeropoint::kernels
