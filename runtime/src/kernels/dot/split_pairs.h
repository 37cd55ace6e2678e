#pragma once

#include <cstdint>
#include <span>

#include "kernels/dot/dot.h"

namespace zeropoint::kernels {

/// vpmaddubsw adds two products of uint8 and int8 in int16 and saturates. It is exact for all bytes where the
/// weights of one sign do not pass 128 in sum: 255 * 128 = 32640. Leaves such pairs in panels of 8 channels
/// (pack_dot(), unit 4, `depth` filled up) and moves what is too much of their second weights to the rest.
DotRest split_pairs(std::span<std::int8_t> packed, std::int64_t segments, std::int64_t depth);

/// The same once order_weights() left little to move.
DotRest order_and_split_pairs(std::span<std::int8_t> packed, std::int64_t segments, std::int64_t depth);

}  // namespace zeropoint::kernels
