#include "kernels/elementwise/loops.h"

namespace zeropoint::kernels {

extern const ElementwiseKernels elementwise_scalar;
constexpr ElementwiseKernels elementwise_scalar = all_loops("elementwise_scalar", Isa::kScalar);

}  // namespace zeropoint::kernels
