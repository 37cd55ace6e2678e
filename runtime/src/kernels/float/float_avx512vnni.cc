#include "kernels/float/loops.h"

namespace zeropoint::kernels {

FloatKernels float_avx512vnni();
FloatKernels float_avx512vnni() { return all_float_loops("float_avx512vnni", Isa::kAvx512Vnni); }

}  // namespace zeropoint::kernels
