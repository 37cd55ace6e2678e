#pragma once

#include <span>
#include <vector>

#include "float/network.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {

/// Runs the network node by node by the operators' plain evaluations: for graphs with shapes that depend on
/// the values of tensors, which no plan can be made for. The inputs must fit the graph.
Result<std::vector<Tensor>> run_nodes(const Network& network, std::span<const Tensor> inputs,
                                      const ValueObserver* observer);

}  // namespace zeropoint::toolchain
