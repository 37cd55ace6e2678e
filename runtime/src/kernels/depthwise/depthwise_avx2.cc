#include "kernels/depthwise/loops.h"

namespace zeropoint::kernels {

void depthwise_u8s8_s32_64_avx2(const DepthwiseParams& params);
void depthwise_u8s8_s32_64_avx2(const DepthwiseParams& params) { depthwise_loops(params); }

}  // namespace zeropoint::kernels
