#pragma once

#include <cstdint>
#include <span>

#include "kernels/aligned_vector.h"

namespace zeropoint::kernels {

/// Puts the weights of panels of 8 channels (pack_dot(), unit 4, `depth` filled up) in orders in which those
/// of different signs meet in pairs: each channel's own, among 16 neighbouring bytes of a segment. Gives for
/// each weight the index of its byte of the 16.
AlignedVector<std::int8_t> order_weights(std::span<std::int8_t> packed, std::int64_t depth);

}  // namespace zeropoint::kernels
