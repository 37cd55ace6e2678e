#pragma once

#include <memory>

#include "zeropoint/program.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

// What evaluate() can measure. Each cuts a batch into one part per thread (0: as many as there are cores);
// the samples of a batch do not influence each other, so the number of threads changes no result.

/// `program`, which must have one output, run by a session per thread; `batch` samples at once, as
/// fixed_batch() of its graph says, or any number for 0.
Model integer_model(std::shared_ptr<const Program> program, int threads = 0, std::int64_t batch = 0);

/// `graph`, which must have one output, run in float32; quantized graphs are simulated. A
/// graph for batches of one size runs in such, the last one filled up. Errors as FloatExecutor::create().
Result<Model> float_model(const Graph& graph, int threads = 0);

}  // namespace zeropoint::toolchain
