#pragma once

#include "zeropoint/operations.h"

namespace zeropoint::engine {

/// The shape of what a convolution gives for an input of that shape; kInvalidArgument where its weights do
/// not fit it.
Result<Shape> conv_output(const ConvOp& op, const Shape& input);

}  // namespace zeropoint::engine
