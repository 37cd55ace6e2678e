#include "kernels/float/loops.h"

namespace zeropoint::kernels {

extern const FloatKernels float_scalar;
constexpr FloatKernels float_scalar = all_float_loops("float_scalar", Isa::kScalar);

}  // namespace zeropoint::kernels
