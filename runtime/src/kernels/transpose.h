#pragma once

#include <cstddef>
#include <cstdint>

namespace zeropoint::kernels {

/// A matrix of bytes, its rows `in_step` apart, transposed: out[c * out_step + r] = in[r * in_step + c] +
/// shift (modulo 256).
void transpose_bytes(const std::uint8_t* in, std::ptrdiff_t in_step, std::uint8_t* out,
                     std::ptrdiff_t out_step, std::int64_t rows, std::int64_t columns, std::uint8_t shift);

}  // namespace zeropoint::kernels
