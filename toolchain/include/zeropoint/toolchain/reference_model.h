#pragma once

#include <memory>

#include "zeropoint/program.h"
#include "zeropoint/toolchain/evaluate.h"

namespace zeropoint::toolchain {

/// `program`, which must have one input and one output, run by the reference interpreter as a Model for
/// evaluate(). A batch is cut into one part per thread (0: as many as there are cores); the parts do not
/// influence each other.
Model reference_model(std::shared_ptr<const Program> program, int threads = 0);

}  // namespace zeropoint::toolchain
