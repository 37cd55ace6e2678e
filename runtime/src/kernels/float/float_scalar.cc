#include "kernels/float/loops.h"

namespace zeropoint::kernels {

FloatKernels float_scalar();
FloatKernels float_scalar() { return all_float_loops("float_scalar", Isa::kScalar); }

}  // namespace zeropoint::kernels
