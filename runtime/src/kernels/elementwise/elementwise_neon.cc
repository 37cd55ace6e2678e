#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {

extern const ElementwiseKernels elementwise_neon;
constexpr ElementwiseKernels elementwise_neon = all_loops("elementwise_neon", Isa::kNeon);

}  // namespace zeropoint::kernels
