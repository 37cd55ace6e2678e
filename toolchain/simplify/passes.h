#pragma once

#include <cstddef>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

// The passes of simplify(), each in the file of its name, whose head says what it changes into what, when,
// and by which algebra. Each takes a verified graph with its shapes inferred and returns how often it changed
// something; nodes and values that are not needed any more are left to remove_dead().
std::size_t cancel_pairs(Graph& graph);
std::size_t fold_batch_norm(Graph& graph);
std::size_t fold_channel_arithmetic(Graph& graph);
std::size_t fuse_activations(Graph& graph);
std::size_t fuse_gelu(Graph& graph);
std::size_t fuse_layer_norm(Graph& graph);
std::size_t matmul_to_gemm(Graph& graph);
std::size_t merge_pad(Graph& graph);
std::size_t plain_gemm(Graph& graph);
std::size_t remove_identities(Graph& graph);

}  // namespace zeropoint::toolchain
