#pragma once

#include <map>
#include <vector>

#include "quantize/improve/layer_note.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Ranges of each channel of tensors, seen over calibration data.
using ChannelRanges = std::map<ValueId, std::vector<RealRange>>;

/// The results of the layers in front of a Clip [0, limit], whose ranges equalize() needs.
std::vector<ValueId> clipped_layers(const Graph& graph);

/// Cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721, section 4.1).
///
/// Before: pairs of layers (see layer_pairs()) in which the weights of some channels are far smaller than
///         those of others, so that one scale for all is too coarse for them.
/// After:  W1[i] / s[i], b1[i] / s[i] and W2[:, i] * s[i] with s[i] = sqrt(max|W1[i]| / max|W2[:, i]|), which
///         makes both maxima equal, repeated over all pairs until nothing changes. The network computes the
///         same, since what stands between is homogeneous.
///
/// A Clip [0, limit] is not: where `ranges` says that no channel reached the limit it becomes a Relu; else
/// the channels that did keep s[i] = 1 and the others stay below the limit, so that on the data that `ranges`
/// saw nothing changes. Without ranges for it, its pair is left alone.
std::vector<LayerNote> equalize(Graph& graph, const ChannelRanges& ranges);

}  // namespace zeropoint::toolchain
