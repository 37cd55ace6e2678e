#include "kernels/depthwise/loops.h"

namespace zeropoint::kernels {

void depthwise_u8s8_s32_64_neon(const DepthwiseParams& params);
void depthwise_u8s8_s32_64_neon(const DepthwiseParams& params) { depthwise_loops(params); }

}  // namespace zeropoint::kernels
