#pragma once

#include <vector>

#include "quantize/improve/channel_means.h"
#include "quantize/improve/layer_note.h"
#include "quantize/improve/sample_chunks.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Before: layer outputs whose mean, per channel, quantization has moved.
/// After:  biases changed so that on `samples` the mean of each channel is that of the float network,
///             b += E[W x + b] - E[Wq xq + b],
///         layer by layer with all layers before it quantized and corrected (Nagel et al. 2019,
///         arXiv:1906.04721, section 4.2 and appendix D; empirical). A Conv or Gemm without a bias gets one,
///         in the graph and in the plan.
/// Layers whose bias would leave int32 by it, and MatMul, which has none, are left alone, saying so.
Result<std::vector<LayerNote>> correct_bias(Graph& graph, QuantPlan& plan, const SampleChunks& samples,
                                            Team& team);

/// The same from the means of the layers' inputs alone, with the error of their own weights as the only one:
///             b -= (Wq - W) E[x]
/// the sum going over all of a kernel, as if there were no border (equation 17). Layers whose input has no
/// means in `means` are left alone.
Result<std::vector<LayerNote>> correct_bias_by_means(Graph& graph, QuantPlan& plan,
                                                     const ChannelMeans& means);

}  // namespace zeropoint::toolchain
