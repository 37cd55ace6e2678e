#include "graph/shapes/shape_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace zeropoint::toolchain {

Status wants(const InferenceContext& context, std::size_t i, ElementType type) {
  const Value& value = context.value(i);
  if (value.type == type) {
    return {};
  }
  return Status::invalid_argument(fmt::format("tensor '{}' is {}; {} is needed", value.name,
                                              zeropoint::name_of(value.type), zeropoint::name_of(type)));
}

Result<std::size_t> axis_of(std::int64_t axis, const Dims& dims) {
  auto rank = static_cast<std::int64_t>(dims.size());
  if (axis < -rank || axis >= rank) {
    return Status::invalid_argument(fmt::format("axis {} is outside of input {}", axis, to_string(dims)));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

bool may_equal(const Dim& a, const Dim& b) { return !a.known() || !b.known() || a == b; }

Result<Dims> broadcast(const Dims& a, const Dims& b) {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims result = longer;
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    Dim& out = result[longer.size() - 1 - i];
    const Dim& other = shorter[shorter.size() - 1 - i];
    if (out == other || other == Dim(1)) {
      continue;
    }
    if (out == Dim(1) || (!out.known() && other.known())) {
      out = other;  // an unknown extent beside a known one other than 1 must equal it, or be 1
    } else if (!out.known() && !other.known()) {
      out = Dim(std::string());
    } else if (other.known()) {
      return Status::invalid_argument(
          fmt::format("shapes {} and {} cannot be broadcast to each other", to_string(a), to_string(b)));
    }
  }
  return result;
}

Status same_as_input_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  if (context.node().op == Op::kIdentity && context.elements(0)) {
    context.set_elements(0, *context.elements(0));
  }
  return {};
}

}  // namespace zeropoint::toolchain
