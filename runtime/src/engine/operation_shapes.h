#pragma once

// The shapes of what operations give, from those that they read.

#include "zeropoint/operations.h"
#include "zeropoint/status.h"

namespace zeropoint::engine {

/// kInvalidArgument for axes that the input does not have, and for means over no elements.
Result<Shape> reduce_output(const ReduceOp& op, const Shape& input);

/// kInvalidArgument as window_geometry().
Result<Shape> average_pool_output(const AveragePoolOp& op, const Shape& input);

}  // namespace zeropoint::engine
