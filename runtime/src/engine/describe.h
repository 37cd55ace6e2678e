#pragma once

#include <string>

#include "zeropoint/operations.h"

namespace zeropoint::engine {

/// What an operation is, in few words: "Conv 3x3/2, 32 groups", "Softmax", "Gather".
std::string describe(const Operation& operation);

}  // namespace zeropoint::engine
