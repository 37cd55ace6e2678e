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
/// kInvalidArgument unless all inputs that are there, from `first` on, have the type of that one.
Status want_one_type(const InferenceContext& context, std::size_t first = 0);
/// An extent of which nothing is known.
inline Dim unknown_extent() { return Dim(std::string()); }
/// The axis counted from the front, or kInvalidArgument when it is not in [-rank, rank).
Result<std::size_t> axis_of(std::int64_t axis, const Dims& dims);
/// False only where both are known and differ.
bool may_equal(const Dim& a, const Dim& b);
/// Multidirectional broadcasting of ONNX; kInvalidArgument for extents that cannot be.
Result<Dims> broadcast(const Dims& a, const Dims& b);

/// The dims of inputs `first`, `first` + `step`, ... joined along the node's axis; none where nothing is
/// known of any.
Result<std::optional<Dims>> joined(const InferenceContext& context, std::size_t first, std::size_t step);

}  // namespace zeropoint::toolchain
