#pragma once

#include <map>

#include "compile/lower_region.h"
#include "zeropoint/affine.h"
#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// What a region gives for each integer of its one quantized tensor.
struct ElementTable {
  Tensor reals;           ///< float32 [entries], or [channels, entries]
  std::int64_t axis = 1;  ///< of the channels in the tensor
};

/// Computes the region of one quantized tensor up to `id` for every integer of `type`, at most 16 bits, by
/// the plain evaluations of its nodes. `constants` holds those of the region. kUnsupported where the
/// constants vary along more than one axis, or enlarge the tensor.
Result<ElementTable> element_table(const Graph& graph, const Region& region, ValueId id, QuantParams params,
                                   ElementType type, const std::map<ValueId, Tensor>& constants);

}  // namespace zeropoint::toolchain
