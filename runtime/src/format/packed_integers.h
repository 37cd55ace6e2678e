#pragma once

// Integers of n < 8 bits in a stream: the i-th takes the bits [i * n, (i + 1) * n), bit 0 being the lowest of
// the first byte; signed ones in two's complement. What is left of the last byte is 0.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/tensor.h"

namespace zeropoint::format {

/// The bits that hold every element, 1 or more; 0 where that is not less than the type has, or where its
/// elements have more than 8 bits or are no integers.
int packed_bits(const Tensor& tensor);

/// Bytes of `count` integers; `bits` in 1..7.
std::uint64_t packed_size(std::uint64_t count, int bits);

std::vector<std::byte> pack(const Tensor& tensor, int bits);

/// Fills `tensor`, whose elements have 8 bits. `packed` must hold packed_size() bytes.
void unpack(std::span<const std::byte> packed, int bits, Tensor& tensor);

}  // namespace zeropoint::format
