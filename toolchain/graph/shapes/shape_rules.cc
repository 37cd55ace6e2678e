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

Status want_one_type(const InferenceContext& context, std::size_t first) {
  for (std::size_t i = first + 1; i < context.input_count(); ++i) {
    if (context.has(i)) {
      ZP_RETURN_IF_ERROR(wants(context, i, context.type(first)));
    }
  }
  return {};
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
      out = unknown_extent();
    } else if (other.known()) {
      return Status::invalid_argument(
          fmt::format("shapes {} and {} cannot be broadcast to each other", to_string(a), to_string(b)));
    }
  }
  return result;
}

Result<std::optional<Dims>> joined(const InferenceContext& context, std::size_t first, std::size_t step) {
  std::optional<Dims> result;
  std::int64_t sum = 0;
  bool known = true;
  std::size_t axis = 0;
  for (std::size_t i = first; i < context.input_count(); i += step) {
    if (!context.has(i) || !context.dims(i)) {
      known = false;
      continue;
    }
    const Dims& own = *context.dims(i);
    ZP_ASSIGN_OR_RETURN(axis, axis_of(int_attribute(context.node(), "axis"), own));
    known = known && own[axis].known() && !__builtin_add_overflow(sum, own[axis].extent, &sum);
    if (!result) {
      result = own;
      continue;
    }
    bool fits = own.size() == result->size();
    for (std::size_t k = 0; fits && k < own.size(); ++k) {
      fits = k == axis || may_equal(own[k], (*result)[k]);
      if (fits && own[k].known()) {
        (*result)[k] = own[k];
      }
    }
    if (!fits) {
      return Status::invalid_argument(fmt::format("inputs {} and {} cannot be joined along axis {}",
                                                  to_string(*result), to_string(own), axis));
    }
  }
  bool is_one = context.input_count() - first <= step;  // which keeps its extent, known or not
  if (result && !is_one) {
    (*result)[axis] = known ? Dim(sum) : unknown_extent();
  }
  return result;
}

Status same_as_input_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  if (context.node().op == Op::kIdentity) {
    context.copy_elements();
  }
  return {};
}

}  // namespace zeropoint::toolchain
