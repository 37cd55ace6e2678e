#pragma once

#include <string>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::cli {

/// "1x3x224x224" or "1,3,224,224" -> {1, 3, 224, 224}. kInvalidArgument for anything else, and for extents
/// below 1.
Result<Shape> parse_shape(const std::string& text);

}  // namespace zeropoint::cli
