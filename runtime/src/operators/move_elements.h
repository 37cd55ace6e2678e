#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/tensor.h"

namespace zeropoint::operators {

/// Where an output's elements come from, axis by axis: y[i0, i1, ...] = x[offsets[0][i0] + offsets[1][i1] +
/// ...], offsets counted in elements of x. kFill at any axis: the element is the fill value.
using SourceOffsets = std::vector<std::vector<std::int64_t>>;
inline constexpr std::int64_t kFill = -1;

/// Elements between neighbours along each axis of a row-major tensor of that shape.
std::vector<std::int64_t> strides_of(const Shape& shape);

/// The same along the axes of a result of `rank` axes, at least as many, to which such a tensor is broadcast;
/// 0 where one element stands for all.
std::vector<std::int64_t> broadcast_strides(const Shape& shape, std::size_t rank);

/// The offsets first, first + step, ... of an axis of `extent` elements.
std::vector<std::int64_t> evenly(std::int64_t extent, std::int64_t step, std::int64_t first = 0);

/// Fills y, whose element count is the product of the offsets' lengths. `fill` points to one element and may
/// be nullptr where no offset is kFill.
void move_elements(const Tensor& x, const SourceOffsets& offsets, const std::byte* fill, Tensor& y);

}  // namespace zeropoint::operators
