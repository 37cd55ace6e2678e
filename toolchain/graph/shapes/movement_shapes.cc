// Operators that rearrange, repeat or frame the elements of one tensor.

#include <fmt/format.h>

#include <algorithm>

#include "graph/shapes/shape_rules.h"
#include "zeropoint/resize.h"

namespace zeropoint::toolchain {
namespace {

/// a * b where it is known; anything times 1 is itself.
Dim times(const Dim& a, std::int64_t b) {
  std::int64_t product = 0;
  if (b == 1) {
    return a;
  }
  return a.known() && !__builtin_mul_overflow(a.extent, b, &product) ? Dim(product) : unknown_extent();
}

/// As many unknown extents as the list input `i` has elements; none where that is not known either.
std::optional<Dims> dims_by_count(const InferenceContext& context, std::size_t i) {
  const std::optional<Dims>& list = context.dims(i);
  if (!list || list->size() != 1 || !(*list)[0].known() || (*list)[0].extent > kMostElements) {
    return std::nullopt;
  }
  return Dims(static_cast<std::size_t>((*list)[0].extent), unknown_extent());
}

/// The dims [N, C, H, W] of input 0 and the block; no value where the dims are not known.
Result<std::optional<std::int64_t>> image_block(const InferenceContext& context) {
  std::int64_t block = int_attribute(context.node(), "blocksize");
  if (!context.dims(0)) {
    return std::optional<std::int64_t>();
  }
  if (context.dims(0)->size() != 4 || block < 1) {
    return Status::invalid_argument(
        fmt::format("input {} with blocksize {}; [N, C, H, W] and 1 or more are needed",
                    to_string(*context.dims(0)), block));
  }
  return std::optional<std::int64_t>(block);
}

Status does_not_divide(const InferenceContext& context, std::int64_t block) {
  return Status::invalid_argument(
      fmt::format("blocksize {} does not divide input {}", block, to_string(*context.dims(0))));
}

/// dim / block where it is known to divide.
Result<Dim> divided(const InferenceContext& context, const Dim& dim, std::int64_t block) {
  if (!dim.known()) {
    return unknown_extent();
  }
  if (dim.extent % block != 0) {
    return does_not_divide(context, block);
  }
  return Dim(dim.extent / block);
}

}  // namespace

Status transpose_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  std::vector<std::int64_t> perm = ints_attribute(context.node(), "perm");
  if (perm.empty()) {
    context.set_dims(0, Dims(x.rbegin(), x.rend()));
    return {};
  }
  std::vector<std::int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool sound = perm.size() == x.size();
  for (std::size_t i = 0; sound && i < sorted.size(); ++i) {
    sound = sorted[i] == static_cast<std::int64_t>(i);
  }
  if (!sound) {
    return Status::invalid_argument(fmt::format("attribute perm {} does not order the axes of input {}",
                                                zeropoint::to_string(perm), to_string(x)));
  }
  Dims dims;
  for (std::int64_t axis : perm) {
    dims.push_back(x[static_cast<std::size_t>(axis)]);
  }
  context.set_dims(0, std::move(dims));
  return {};
}

Status depth_to_space_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_ASSIGN_OR_RETURN(std::optional<std::int64_t> block, image_block(context));
  if (!block) {
    return {};
  }
  const Dims& x = *context.dims(0);
  Dim channels = x[1];
  for (int i = 0; i < 2; ++i) {
    ZP_ASSIGN_OR_RETURN(channels, divided(context, channels, *block));
  }
  context.set_dims(0, {x[0], channels, times(x[2], *block), times(x[3], *block)});
  return {};
}

Status space_to_depth_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_ASSIGN_OR_RETURN(std::optional<std::int64_t> block, image_block(context));
  if (!block) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(Dim height, divided(context, x[2], *block));
  ZP_ASSIGN_OR_RETURN(Dim width, divided(context, x[3], *block));
  context.set_dims(0, {x[0], times(times(x[1], *block), *block), height, width});
  return {};
}

Status expand_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  std::optional<Dims> wanted = dims_by_count(context, 1);
  if (const Elements& extents = context.elements(1); extents) {
    wanted.emplace();
    std::transform(extents->begin(), extents->end(), std::back_inserter(*wanted), dim_of);
  }
  for (const Dim& dim : wanted.value_or(Dims())) {
    if (!dim.known() && dim.extent < -1) {
      return Status::invalid_argument(fmt::format("it is asked for an extent of {}", dim.extent));
    }
  }
  if (context.dims(0) && wanted) {
    ZP_ASSIGN_OR_RETURN(Dims dims, broadcast(*context.dims(0), *wanted));
    context.set_dims(0, std::move(dims));
  }
  return {};
}

Status tile_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  Dims dims = *context.dims(0);
  const Elements& repeats = context.elements(1);
  if (repeats && repeats->size() != dims.size()) {
    return Status::invalid_argument(
        fmt::format("input {} cannot be repeated along {} axes", to_string(dims), repeats->size()));
  }
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto* count = repeats ? std::get_if<std::int64_t>(&(*repeats)[i]) : nullptr;
    if (count != nullptr && *count < 0) {
      return Status::invalid_argument(fmt::format("it is asked for {} repeats", *count));
    }
    Dim repeated = count == nullptr ? unknown_extent() : times(dims[i], *count);
    if (dims[i] == Dim(1) && repeats) {
      repeated = dim_of((*repeats)[i]);
    }
    dims[i] = repeated;
  }
  context.set_dims(0, std::move(dims));
  return {};
}

Status pad_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.has(2)) {
    ZP_RETURN_IF_ERROR(wants(context, 2, context.type(0)));
  }
  ZP_RETURN_IF_ERROR(wants(context, 1, ElementType::kInt64));
  if (!context.dims(0)) {
    return {};
  }
  Dims dims = *context.dims(0);
  std::optional<std::vector<std::int64_t>> pads = context.ints(1);
  std::optional<std::vector<std::int64_t>> axes;
  if (context.has(3)) {
    axes = context.ints(3);
  } else {
    axes.emplace();
    for (std::size_t i = 0; i < dims.size(); ++i) {
      axes->push_back(static_cast<std::int64_t>(i));
    }
  }
  if (!pads || !axes) {
    context.set_dims(0, Dims(dims.size(), unknown_extent()));
    return {};
  }
  if (pads->size() != 2 * axes->size()) {
    return Status::invalid_argument(
        fmt::format("pads {} do not fit input {}", zeropoint::to_string(*pads), to_string(dims)));
  }
  for (std::size_t i = 0; i < axes->size(); ++i) {
    ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of((*axes)[i], dims));
    std::int64_t added = 0;
    bool sound = !__builtin_add_overflow((*pads)[i], (*pads)[axes->size() + i], &added);
    if (added == 0 && sound) {
      continue;
    }
    std::int64_t extent = 0;
    if (sound && dims[axis].known()) {
      sound = !__builtin_add_overflow(dims[axis].extent, added, &extent) && extent >= 0;
    }
    if (!sound) {
      return Status::invalid_argument(fmt::format("pads {} leave nothing of input {}",
                                                  zeropoint::to_string(*pads), to_string(*context.dims(0))));
    }
    dims[axis] = dims[axis].known() ? Dim(extent) : unknown_extent();
  }
  context.set_dims(0, std::move(dims));
  return {};
}

Status resize_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  // An empty tensor stands for an input that is not given.
  auto given = [&](std::size_t i) { return context.has(i) && context.dims(i) != Dims{Dim(0)}; };
  std::optional<std::vector<std::int64_t>> sizes = given(3) ? context.ints(3) : std::nullopt;
  const Tensor* scales = given(2) ? context.constant(2) : nullptr;
  const Tensor* roi = given(1) ? context.constant(1) : nullptr;
  bool open = (given(3) && !sizes) || (given(2) && scales == nullptr) || (given(1) && roi == nullptr);
  if (open) {
    context.set_dims(0, Dims(x.size(), unknown_extent()));
    return {};
  }
  // An unknown extent is resized as one element would be; what that gives is not told unless it stays as it
  // is.
  Result<std::vector<ResizeAxis>> axes =
      resize_axes(context.node().attributes, shape_of(x, 1), roi, scales, sizes ? &*sizes : nullptr);
  ZP_RETURN_IF_ERROR(axes.status());
  bool keeps_ratio = sizes && string_attribute(context.node(), "keep_aspect_ratio_policy") != "stretch";
  Dims dims;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const ResizeAxis& axis = (*axes)[i];
    bool stays = axis.scale == 1 && axis.output == axis.input;
    if (x[i].known() && !keeps_ratio) {
      dims.emplace_back(axis.output);
    } else if (sizes && !keeps_ratio && !stays) {
      dims.emplace_back(axis.output);
    } else {
      dims.push_back(keeps_ratio || !stays ? unknown_extent() : x[i]);
    }
  }
  if (keeps_ratio && std::all_of(x.begin(), x.end(), [](const Dim& dim) { return dim.known(); })) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      dims[i] = Dim((*axes)[i].output);
    }
  }
  context.set_dims(0, std::move(dims));
  return {};
}

}  // namespace zeropoint::toolchain
