#pragma once

#include <bit>
#include <cstddef>
#include <span>

#include "zeropoint/toolchain/npy.h"

namespace zeropoint::toolchain {

/// Brings elements as a file with `header` holds them into this machine's byte order, and booleans to 0 or 1.
void to_native_elements(const NpyHeader& header, std::span<std::byte> elements);

}  // namespace zeropoint::toolchain
