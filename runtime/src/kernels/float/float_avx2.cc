#include "kernels/float/loops.h"

namespace zeropoint::kernels {

FloatKernels float_avx2();
FloatKernels float_avx2() { return all_float_loops("float_avx2", Isa::kAvx2); }

}  // namespace zeropoint::kernels
