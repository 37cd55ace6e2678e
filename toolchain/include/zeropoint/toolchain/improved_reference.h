#pragma once

#include <memory>
#include <span>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// The float network that a quantized one is to be compared with: `reference` itself, or, where the plan
/// names improvements that changed it before it was planned (equalization, absorbed biases), the network that
/// they make of it. They are made again here, on `data`, since a quantized file does not hold what they made;
/// what they read off other samples than calibration had differs by that. Errors are those of the
/// improvements.
Result<Graph> improved_reference(const Graph& reference, const QuantPlan& plan,
                                 std::span<const std::shared_ptr<const Dataset>> data, int threads = 0);

}  // namespace zeropoint::toolchain
