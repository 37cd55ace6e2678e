#pragma once

#include <cstddef>
#include <span>

#include "zeropoint/tensor.h"

namespace zeropoint {

/// Whether all bytes are ones that elements of `type` can have: 0 and 1 of bool, 16 of int4 and of uint4; all
/// of the other types. Programs index by elements, so what comes from outside is checked.
bool are_elements(ElementType type, std::span<const std::byte> bytes);

/// Brings elements of int4 and uint4 that were computed in a byte back into 4 bits; they wrap around as other
/// integers do.
void wrap_into_type(Tensor& tensor);

/// "its bytes are not all 0 or 1", ...: what is wrong where are_elements() is false, and what is needed.
Status not_elements(ElementType type, const std::string& name);

}  // namespace zeropoint
