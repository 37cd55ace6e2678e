#include "kernels/float/loops.h"

namespace zeropoint::kernels {

FloatKernels float_neon();
FloatKernels float_neon() { return all_float_loops("float_neon", Isa::kNeon); }

}  // namespace zeropoint::kernels
