// Operators that take tensors apart, choose from them, and join them. Where the elements are extents of
// shapes, they are followed.

#include <fmt/format.h>

#include <algorithm>

#include "graph/shapes/shape_rules.h"
#include "zeropoint/slice_range.h"

namespace zeropoint::toolchain {
namespace {

bool is_list(const std::optional<Dims>& dims) { return dims && dims->size() <= 1; }

/// One slice: of an axis, or of none where what it takes is not known.
struct Slice {
  std::size_t axis;
  std::optional<SliceRange> range;
};

/// What the inputs say of each slice; none where not even the axes are known.
Result<std::optional<std::vector<Slice>>> slices_of(const InferenceContext& context, const Dims& x) {
  const Elements& starts = context.elements(1);
  const Elements& ends = context.elements(2);
  std::optional<std::vector<std::int64_t>> axes = context.ints(3);
  std::optional<std::vector<std::int64_t>> steps = context.ints(4);
  if ((context.has(3) && !axes) || !starts || !ends) {
    return std::optional<std::vector<Slice>>();
  }
  std::size_t count = starts->size();
  if (ends->size() != count || (axes && axes->size() != count) || (steps && steps->size() != count)) {
    return Status::invalid_argument("its starts, ends, axes and steps differ in number");
  }
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < count; ++i) {
    ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(axes ? (*axes)[i] : static_cast<std::int64_t>(i), x));
    const auto* start = std::get_if<std::int64_t>(&(*starts)[i]);
    const auto* end = std::get_if<std::int64_t>(&(*ends)[i]);
    Slice slice{axis, std::nullopt};
    bool open = start == nullptr || end == nullptr || (context.has(4) && !steps);
    if (!open && x[axis].known()) {
      ZP_ASSIGN_OR_RETURN(slice.range, slice_range(*start, *end, steps ? (*steps)[i] : 1, x[axis].extent));
    } else if (!open && *start >= 0 && *end >= *start && *end <= 1 && (!steps || (*steps)[i] == 1)) {
      slice.range = SliceRange{*start, *end - *start, 1};  // the first element, of a symbol that is not 0
    }
    slices.push_back(slice);
  }
  return std::optional<std::vector<Slice>>(std::move(slices));
}

}  // namespace

Status slice_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  Dims dims = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::optional<std::vector<Slice>> slices, slices_of(context, dims));
  if (!slices) {
    context.set_dims(0, Dims(dims.size(), unknown_extent()));
    return {};
  }
  for (std::size_t i = 0; i < slices->size(); ++i) {
    const Slice& slice = (*slices)[i];
    dims[slice.axis] = slice.range ? Dim(slice.range->count) : unknown_extent();
    // From the first to beyond any end: the axis as it is.
    const auto* end = std::get_if<std::int64_t>(&(*context.elements(2))[i]);
    bool whole = (*context.elements(1))[i] == SymbolicInt(0) && end != nullptr &&
                 *end >= (std::int64_t{1} << 31) - 1 &&
                 (!context.has(4) || (context.ints(4) && (*context.ints(4))[i] == 1));
    if (whole && !slice.range) {
      dims[slice.axis] = (*context.dims(0))[slice.axis];
    }
  }
  const Elements& x = context.elements(0);
  if (x && slices->size() == 1 && (*slices)[0].range && dims.size() == 1) {
    const SliceRange& range = *(*slices)[0].range;
    std::vector<SymbolicInt> taken;
    for (std::int64_t i = 0; i < range.count; ++i) {
      taken.push_back((*x)[static_cast<std::size_t>(range.first + i * range.step)]);
    }
    context.set_elements(0, std::move(taken));
  }
  context.set_dims(0, std::move(dims));
  return {};
}

Status split_shape(InferenceContext& context) {
  std::size_t outputs = context.output_count();
  for (std::size_t i = 0; i < outputs; ++i) {
    context.set_type(i, context.type(0));
  }
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), x));
  std::optional<std::vector<std::int64_t>> parts = context.ints(1);
  Dim even = unknown_extent();
  Dim last = unknown_extent();
  if (!context.has(1) && x[axis].known()) {
    std::int64_t declared = int_attribute(context.node(), "num_outputs");
    std::int64_t count = declared > 0 ? declared : static_cast<std::int64_t>(outputs);
    std::int64_t part = x[axis].extent / count + (x[axis].extent % count != 0 ? 1 : 0);
    std::int64_t others = 0;
    if (__builtin_mul_overflow(part, count - 1, &others) || x[axis].extent < others ||
        count < static_cast<std::int64_t>(outputs)) {
      return Status::invalid_argument(
          fmt::format("axis {} of input {} cannot be split into {} equal parts", axis, to_string(x), count));
    }
    even = Dim(part);
    last = count == static_cast<std::int64_t>(outputs) ? Dim(x[axis].extent - others) : even;
  }
  std::int64_t begin = 0;
  if (parts) {
    std::int64_t sum = 0;
    bool sound = parts->size() >= outputs;
    for (std::int64_t part : *parts) {
      sound = sound && part >= 0 && !__builtin_add_overflow(sum, part, &sum);
    }
    if (!sound || (x[axis].known() && sum != x[axis].extent)) {
      return Status::invalid_argument(fmt::format("parts {} do not make up axis {} of input {}",
                                                  zeropoint::to_string(*parts), axis, to_string(x)));
    }
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    Dims dims = x;
    dims[axis] = parts ? Dim((*parts)[i]) : (i + 1 == outputs ? last : even);
    if (const Elements& all = context.elements(0); all && x.size() == 1 && dims[axis].known()) {
      auto from = all->begin() + begin;
      context.set_elements(i, {from, from + dims[axis].extent});
      begin += dims[axis].extent;
    }
    context.set_dims(i, std::move(dims));
  }
  return {};
}

Status concat_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  std::optional<std::vector<SymbolicInt>> elements = std::vector<SymbolicInt>();
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    ZP_RETURN_IF_ERROR(wants(context, i, context.type(0)));
    bool listed = context.elements(i) && context.dims(i)->size() == 1;
    if (elements && listed && elements->size() <= static_cast<std::size_t>(kMostElements)) {
      elements->insert(elements->end(), context.elements(i)->begin(), context.elements(i)->end());
    } else {
      elements.reset();
    }
  }
  if (elements) {
    context.set_elements(0, std::move(*elements));
  }
  ZP_ASSIGN_OR_RETURN(std::optional<Dims> dims, joined(context, 0, 1));
  if (dims) {
    context.set_dims(0, std::move(*dims));
  }
  return {};
}

Status gather_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0) || !context.dims(1)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), x));
  auto at = x.begin() + static_cast<std::ptrdiff_t>(axis);
  Dims dims(x.begin(), at);
  dims.insert(dims.end(), context.dims(1)->begin(), context.dims(1)->end());
  dims.insert(dims.end(), at + 1, x.end());
  context.set_dims(0, std::move(dims));
  std::optional<std::vector<std::int64_t>> chosen = context.ints(1);
  const Elements& all = context.elements(0);
  if (!chosen || !all || x.size() != 1 || !is_list(context.dims(1))) {
    return {};
  }
  std::vector<SymbolicInt> elements;
  for (std::int64_t index : *chosen) {
    auto count = static_cast<std::int64_t>(all->size());
    if (index < -count || index >= count) {
      return Status::invalid_argument(fmt::format("index {} is outside of input {}", index, to_string(x)));
    }
    elements.push_back((*all)[static_cast<std::size_t>(index < 0 ? index + count : index)]);
  }
  context.set_elements(0, std::move(elements));
  return {};
}

Status gather_elements_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(1)) {
    context.set_dims(0, *context.dims(1));
  }
  if (context.dims(0) && context.dims(1) && context.dims(0)->size() != context.dims(1)->size()) {
    return Status::invalid_argument(fmt::format("indices {} do not fit input {}", to_string(*context.dims(1)),
                                                to_string(*context.dims(0))));
  }
  return {};
}

Status gather_nd_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0) || !context.dims(1)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  const Dims& indices = *context.dims(1);
  std::int64_t batch = int_attribute(context.node(), "batch_dims");
  bool sound = !indices.empty() && batch >= 0 && batch < static_cast<std::int64_t>(indices.size());
  if (sound && indices.back().known()) {
    std::int64_t depth = indices.back().extent;
    sound = depth >= 0 && batch + depth <= static_cast<std::int64_t>(x.size());
  }
  if (!sound) {
    return Status::invalid_argument(
        fmt::format("indices {} do not fit input {}", to_string(indices), to_string(x)));
  }
  if (indices.back().known()) {
    Dims dims(indices.begin(), indices.end() - 1);
    dims.insert(dims.end(), x.begin() + batch + indices.back().extent, x.end());
    context.set_dims(0, std::move(dims));
  }
  return {};
}

Status scatter_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(wants(context, 2, context.type(0)));
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  return {};
}

Status compress_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.node().attributes.contains("axis")) {
    context.set_dims(0, {unknown_extent()});
  } else if (context.dims(0)) {
    Dims dims = *context.dims(0);
    ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), dims));
    dims[axis] = unknown_extent();
    context.set_dims(0, std::move(dims));
  }
  return wants(context, 1, ElementType::kBool);
}

}  // namespace zeropoint::toolchain
