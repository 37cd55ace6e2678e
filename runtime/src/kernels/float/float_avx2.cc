#include "kernels/float/loops.h"

namespace zeropoint::kernels {

extern const FloatKernels float_avx2;
constexpr FloatKernels float_avx2 = all_float_loops("float_avx2", Isa::kAvx2);

}  // namespace zeropoint::kernels
