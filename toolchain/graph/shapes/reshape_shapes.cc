// Operators that give the same elements another shape.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

/// The extent that -1 stands for: what is left of x once the extents of `shape`, symbols among them, are
/// taken from it.
Dim remaining(const Dims& x, const Dims& shape, std::size_t open) {
  std::vector<std::string> symbols;
  std::int64_t count = 1;
  for (const Dim& dim : x) {
    if (!dim.known()) {
      symbols.push_back(dim.symbol);
    } else if (__builtin_mul_overflow(count, dim.extent, &count)) {
      return unknown_extent();
    }
  }
  std::int64_t taken = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == open) {
      continue;
    }
    if (shape[i].known()) {
      if (__builtin_mul_overflow(taken, shape[i].extent, &taken)) {
        return unknown_extent();
      }
      continue;
    }
    auto same = std::find(symbols.begin(), symbols.end(), shape[i].symbol);
    if (shape[i].symbol.empty() || same == symbols.end()) {
      return unknown_extent();
    }
    symbols.erase(same);
  }
  if (taken == 0 || count % taken != 0) {
    return unknown_extent();
  }
  if (symbols.empty()) {
    return Dim(count / taken);
  }
  return symbols.size() == 1 && count == taken ? Dim(symbols[0]) : unknown_extent();
}

Result<std::vector<bool>> marked(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<bool> marks(rank, false);
  for (std::int64_t axis : axes) {
    auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
    if (at >= rank || marks[at]) {
      return Status::invalid_argument(
          fmt::format("axes {} do not fit a tensor of {} axes", zeropoint::to_string(axes), rank));
    }
    marks[at] = true;
  }
  return marks;
}

}  // namespace

Status reshape_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  const Elements& wanted = context.elements(1);
  const std::optional<Dims>& x = context.dims(0);
  if (!wanted) {
    const std::optional<Dims>& list = context.dims(1);
    if (list && list->size() == 1 && (*list)[0].known() && (*list)[0].extent <= kMostElements) {
      context.set_dims(0, Dims(static_cast<std::size_t>((*list)[0].extent), unknown_extent()));
    }
    return {};
  }
  bool copies_zeros = int_attribute(context.node(), "allowzero") == 0;
  Dims dims;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const auto* number = std::get_if<std::int64_t>(&(*wanted)[i]);
    bool sound = number == nullptr || *number >= 0 || (*number == -1 && !open);
    if (number != nullptr && *number == 0 && copies_zeros) {
      sound = !x || i < x->size();
      dims.push_back(x && sound ? (*x)[i] : unknown_extent());
    } else if (number != nullptr && *number == -1) {
      open = i;
      dims.emplace_back(std::string());
    } else {
      dims.push_back(dim_of((*wanted)[i]));
    }
    if (!sound) {
      return Status::invalid_argument(fmt::format("input {} cannot take a shape with {} as its extent {}",
                                                  x ? to_string(*x) : "", *number, i));
    }
  }
  if (x && open) {
    dims[*open] = remaining(*x, dims, *open);
  }
  if (x && has_known_extents(*x) && has_known_extents(dims)) {
    Result<std::int64_t> before = element_count(shape_of(*x, -1));
    Result<std::int64_t> after = element_count(shape_of(dims, -1));
    if (!before.ok() || !after.ok() || *before != *after) {
      return Status::invalid_argument(
          fmt::format("input {} cannot take the shape {}", to_string(*x), to_string(dims)));
    }
  }
  context.set_dims(0, std::move(dims));
  context.copy_elements();
  return {};
}

Status squeeze_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  std::optional<std::vector<std::int64_t>> axes = context.ints(1);
  if (!context.dims(0) || (context.has(1) && !axes)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  std::vector<bool> removed(x.size());
  if (axes) {
    ZP_ASSIGN_OR_RETURN(removed, marked(*axes, x.size()));
  } else if (has_known_extents(x)) {
    std::transform(x.begin(), x.end(), removed.begin(), [](const Dim& dim) { return dim == Dim(1); });
  } else {
    return {};  // a symbol may turn out to be 1
  }
  Dims kept;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!removed[i]) {
      kept.push_back(x[i]);
    } else if (!may_equal(x[i], Dim(1))) {
      return Status::invalid_argument(
          fmt::format("axis {} of input {} is not 1 and cannot be removed", i, to_string(x)));
    }
  }
  context.set_dims(0, std::move(kept));
  context.copy_elements();
  return {};
}

Status unsqueeze_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  std::optional<std::vector<std::int64_t>> axes = context.ints(1);
  if (!context.dims(0) || !axes) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::vector<bool> added, marked(*axes, x.size() + axes->size()));
  Dims dims;
  auto next = x.begin();
  for (bool is_new : added) {
    dims.push_back(is_new ? Dim(1) : *next++);
  }
  context.set_dims(0, std::move(dims));
  context.copy_elements();
  return {};
}

Status flatten_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = int_attribute(context.node(), "axis");
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis > rank) {
    return Status::invalid_argument(fmt::format("axis {} is outside of input {}", axis, to_string(x)));
  }
  // One unknown extent survives only where it stands alone on its side.
  auto product = [&](std::int64_t begin, std::int64_t end) {
    if (end - begin == 1) {
      return x[static_cast<std::size_t>(begin)];
    }
    std::int64_t count = 1;
    for (std::int64_t i = begin; i < end; ++i) {
      const Dim& dim = x[static_cast<std::size_t>(i)];
      if (!dim.known() || __builtin_mul_overflow(count, dim.extent, &count)) {
        return unknown_extent();
      }
    }
    return Dim(count);
  };
  context.set_dims(0, {product(0, axis), product(axis, rank)});
  return {};
}

}  // namespace zeropoint::toolchain
