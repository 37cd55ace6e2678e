#pragma once

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Before: y = MatMul(x, w), or Gemm, w = DequantizeLinear of constant 4- or 8-bit integers in blocks along
///         what is summed.
/// After:  y = MatMulNBits(x, ...) of com.microsoft, the integers packed; an Add for the bias of a Gemm.
/// Conditions: blocks of a power of two from 16 on; alpha and beta 1, transA 0; bias of one axis.
/// Algebra: that of to_qdq(), backwards: signed integers and zero points are raised by half their range.
/// Returns how many. Expects inferred shapes; leaves the pairs that nothing reads any more.
std::size_t to_block_products(Graph& graph);

}  // namespace zeropoint::toolchain
