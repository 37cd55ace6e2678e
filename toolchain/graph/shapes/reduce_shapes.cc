// Operators along axes: reductions, searches, and those that keep the shape.

#include <fmt/format.h>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

/// The dims without the reduced axes, or with 1 in their place.
Dims reduced_dims(const Dims& dims, const std::vector<bool>& reduced, bool keep) {
  Dims result;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!reduced[i]) {
      result.push_back(dims[i]);
    } else if (keep) {
      result.emplace_back(1);
    }
  }
  return result;
}

}  // namespace

Status along_axis_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
    return axis_of(int_attribute(context.node(), "axis"), *context.dims(0)).status();
  }
  return {};
}

Status reduce_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  bool keep = int_attribute(context.node(), "keepdims") != 0;
  std::optional<std::vector<std::int64_t>> axes = std::vector<std::int64_t>();
  if (context.has(1)) {
    axes = context.ints(1);
  }
  if (!axes) {
    if (keep) {  // which axes is not known, but how many axes there will be
      context.set_dims(0, Dims(x.size(), unknown_extent()));
    }
    return {};
  }
  std::vector<bool> reduced(x.size(), false);
  if (axes->empty()) {
    reduced.assign(x.size(), int_attribute(context.node(), "noop_with_empty_axes") == 0);
  }
  for (std::int64_t axis : *axes) {
    ZP_ASSIGN_OR_RETURN(std::size_t i, axis_of(axis, x));
    reduced[i] = true;
  }
  context.set_dims(0, reduced_dims(x, reduced, keep));
  return {};
}

Status arg_extreme_shape(InferenceContext& context) {
  context.set_type(0, ElementType::kInt64);
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), x));
  std::vector<bool> reduced(x.size(), false);
  reduced[axis] = true;
  context.set_dims(0, reduced_dims(x, reduced, int_attribute(context.node(), "keepdims") != 0));
  return {};
}

Status top_k_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  context.set_type(1, ElementType::kInt64);
  if (!context.dims(0)) {
    return {};
  }
  Dims dims = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), dims));
  const Elements& k = context.elements(1);
  Dim chosen = k && k->size() == 1 ? dim_of((*k)[0]) : unknown_extent();
  if (context.ints(1) && (!chosen.known() || (dims[axis].known() && chosen.extent > dims[axis].extent))) {
    return Status::invalid_argument(fmt::format("k does not fit axis {} of input {}", axis, to_string(dims)));
  }
  dims[axis] = chosen;
  context.set_dims(0, dims);
  context.set_dims(1, std::move(dims));
  return {};
}

}  // namespace zeropoint::toolchain
