#pragma once

#include "quantize/improve/equalization.h"

namespace zeropoint::toolchain {

/// High-bias absorption (Nagel et al. 2019, arXiv:1906.04721, section 4.1.3).
///
/// Before: a channel i behind a Relu that is never below some c[i] > 0 in `ranges` (of the first layer's
///         result), which widens the range of all channels.
/// After:  b1 - c, b2 + W2 c, which is the same as long as that holds. Layers that pad are left alone: their
///         padding would stand for c.
std::vector<LayerNote> absorb_high_bias(Graph& graph, const ChannelRanges& ranges);
/// The layer results whose ranges absorb_high_bias() needs.
std::vector<ValueId> rectified_layers(const Graph& graph);

}  // namespace zeropoint::toolchain
