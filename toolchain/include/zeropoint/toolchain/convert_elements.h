#pragma once

#include <cstddef>
#include <span>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// kInvalidArgument when elements of `from` are not taken as `to`: floats stay floats, rounded to nearest
/// where `to` is narrower; integers and booleans become integers or floats.
Status check_convertible(ElementType from, ElementType to);

/// Converts elements, as many as `in` holds; both spans are aligned for their types. kInvalidArgument as
/// check_convertible(), and for an integer that `to` cannot hold.
Status convert_elements(ElementType from, std::span<const std::byte> in, ElementType to,
                        std::span<std::byte> out);

/// The same for a whole tensor.
Result<Tensor> converted(const Tensor& tensor, ElementType to);

}  // namespace zeropoint::toolchain
