#pragma once

#include "quantize/improve/layer_note.h"
#include "quantize/improve/sample_chunks.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// SmoothQuant (Xiao et al. 2022, arXiv:2211.10438).
///
/// Before: matrix products of one tensor x whose channels differ so much that one scale for all leaves most
/// of
///         them few steps.
/// After:  x[j] / s[j] and W[j, :] * s[j] with s[j] = max|x[j]|^a / max|W[j, :]|^(1 - a) (equation 4), a in
///         steps of 0.05 where the products of `samples`, with x and W in 8 bits, are nearest to what they
///         were; left alone where that gains less than a tenth. 1 / s goes into what makes x: gain and bias
///         of a LayerNormalization or RMSNormalization, the constant of a Mul, the weights of a matrix
///         product, directly or through a Mul by a computed tensor or a Relu. The network computes the same.
///
/// Tensors that something else reads, or that nothing before them can scale, are left alone, saying why.
Result<std::vector<LayerNote>> smooth(Graph& graph, const SampleChunks& samples, Team& team);

}  // namespace zeropoint::toolchain
