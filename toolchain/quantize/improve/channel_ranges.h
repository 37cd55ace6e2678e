#pragma once

#include <map>
#include <vector>

#include "quantize/improve/channel_means.h"
#include "zeropoint/affine_tensor.h"

namespace zeropoint::toolchain {

/// The smallest and largest element of each channel of `tensors` over all samples, in one pass over `graph`.
Result<std::map<ValueId, std::vector<RealRange>>> channel_ranges(const Graph& graph,
                                                                 const std::vector<ChannelAxis>& tensors,
                                                                 const SampleChunks& samples, Team& team);

}  // namespace zeropoint::toolchain
