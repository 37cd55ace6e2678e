#pragma once

#include "zeropoint/cpu.h"

namespace zeropoint::internal {

/// Whether processor and operating system run the instructions of `isa`.
bool machine_has(Isa isa);

}  // namespace zeropoint::internal
