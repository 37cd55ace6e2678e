#include "kernels/float/loops.h"

namespace zeropoint::kernels {

extern const FloatKernels float_avx512vnni;
constexpr FloatKernels float_avx512vnni = all_float_loops("float_avx512vnni", Isa::kAvx512Vnni);

}  // namespace zeropoint::kernels
