#include "kernels/float/loops.h"

namespace zeropoint::kernels {

extern const FloatKernels float_neon;
constexpr FloatKernels float_neon = all_float_loops("float_neon", Isa::kNeon);

}  // namespace zeropoint::kernels
