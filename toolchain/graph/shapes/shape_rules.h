#pragma once

// One rule per operator, or per family of operators. A rule checks that its node's inputs fit together and
// says what its outputs are. Unknown dims, and unknown extents, of an input are no error: what cannot be told
// stays unknown.

#include "graph/inference.h"

namespace zeropoint::toolchain {

#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, ...) \
  Status rule##_shape(InferenceContext& context);
#include "zeropoint/ops.inc"

/// kInvalidArgument unless input `i` is of that type.
Status wants(const InferenceContext& context, std::size_t i, ElementType type);
/// The axis counted from the front, or kInvalidArgument when it is not in [-rank, rank).
Result<std::size_t> axis_of(std::int64_t axis, const Dims& dims);
/// False only where both are known and differ.
bool may_equal(const Dim& a, const Dim& b);
/// Multidirectional broadcasting of ONNX; kInvalidArgument for extents that cannot be.
Result<Dims> broadcast(const Dims& a, const Dims& b);

}  // namespace zeropoint::toolchain
