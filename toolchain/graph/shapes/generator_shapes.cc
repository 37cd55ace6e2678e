// Operators that make tensors from little, or tell of a tensor how large it is.

#include <fmt/format.h>

#include <algorithm>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

template <typename T>
const T* find(const Node& node, std::string_view name) {
  auto found = node.attributes.find(name);
  return found == node.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

Dims list_of(std::size_t count) { return {Dim(static_cast<std::int64_t>(count))}; }

}  // namespace

Status shape_shape(InferenceContext& context) {
  context.set_type(0, ElementType::kInt64);
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  auto rank = static_cast<std::int64_t>(x.size());
  auto clamped = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  std::int64_t begin = clamped(int_attribute(context.node(), "start"));
  const auto* given = find<std::int64_t>(context.node(), "end");
  std::int64_t end = std::max(begin, given != nullptr ? clamped(*given) : rank);
  std::vector<SymbolicInt> extents;
  std::transform(x.begin() + begin, x.begin() + end, std::back_inserter(extents), element_of);
  context.set_dims(0, list_of(extents.size()));
  context.set_elements(0, std::move(extents));
  return {};
}

Status size_shape(InferenceContext& context) {
  context.set(0, ElementType::kInt64, {});
  if (!context.dims(0)) {
    return {};
  }
  std::int64_t count = 1;
  for (const Dim& dim : *context.dims(0)) {
    if (!dim.known() || __builtin_mul_overflow(count, dim.extent, &count)) {
      return {};
    }
  }
  context.set_elements(0, {count});
  return {};
}

Status constant_shape(InferenceContext& context) {
  const Node& node = context.node();
  if (const Tensor* value = tensor_attribute(node.attributes, "value"); value != nullptr) {
    context.set(0, value->type(), dims_of(value->shape()));
    if (value->rank() <= 1 && value->type() == ElementType::kInt64 && value->size() <= kMostElements) {
      std::span<const std::int64_t> numbers = value->data<std::int64_t>();
      context.set_elements(0, {numbers.begin(), numbers.end()});
    }
  } else if (find<float>(node, "value_float") != nullptr) {
    context.set(0, ElementType::kFloat32, {});
  } else if (const auto* number = find<std::int64_t>(node, "value_int"); number != nullptr) {
    context.set(0, ElementType::kInt64, {});
    context.set_elements(0, {*number});
  } else if (const auto* floats = find<std::vector<float>>(node, "value_floats"); floats != nullptr) {
    context.set(0, ElementType::kFloat32, list_of(floats->size()));
  } else if (const auto* ints = find<std::vector<std::int64_t>>(node, "value_ints"); ints != nullptr) {
    context.set(0, ElementType::kInt64, list_of(ints->size()));
    context.set_elements(0, {ints->begin(), ints->end()});
  } else {
    return Status::invalid_argument("it has no value");
  }
  return {};
}

Status constant_of_shape_shape(InferenceContext& context) {
  const Tensor* value = tensor_attribute(context.node().attributes, "value");
  ElementType type = value == nullptr ? ElementType::kFloat32 : value->type();
  context.set_type(0, type);
  const Elements& extents = context.elements(0);
  if (!extents) {
    const std::optional<Dims>& shape = context.dims(0);
    if (shape && shape->size() == 1 && (*shape)[0].known() && (*shape)[0].extent <= kMostElements) {
      context.set_dims(0, Dims(static_cast<std::size_t>((*shape)[0].extent), unknown_extent()));
    }
    return {};
  }
  Dims dims;
  for (const SymbolicInt& extent : *extents) {
    dims.push_back(dim_of(extent));
    if (const auto* number = std::get_if<std::int64_t>(&extent); number != nullptr && *number < 0) {
      return Status::invalid_argument(fmt::format("it is asked for an extent of {}", *number));
    }
  }
  bool is_list = dims.size() == 1 && dims[0].known() && dims[0].extent <= kMostElements;
  if (is_list && value != nullptr && type == ElementType::kInt64 && value->size() == 1) {
    context.set_elements(0, std::vector<SymbolicInt>(static_cast<std::size_t>(dims[0].extent),
                                                     value->data<std::int64_t>()[0]));
  }
  context.set_dims(0, std::move(dims));
  return {};
}

Status range_shape(InferenceContext& context) {
  context.set(0, context.type(0), {unknown_extent()});
  ZP_RETURN_IF_ERROR(wants(context, 1, context.type(0)));
  ZP_RETURN_IF_ERROR(wants(context, 2, context.type(0)));
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < 3; ++i) {
    std::optional<std::vector<std::int64_t>> number = context.ints(i);
    if (!number || number->size() != 1) {
      // From 0 in steps of 1 it has as many elements as its limit says.
      const Elements& limit = context.elements(1);
      bool counts = limit && limit->size() == 1 && context.ints(0) == std::vector<std::int64_t>{0} &&
                    context.ints(2) == std::vector<std::int64_t>{1};
      if (counts) {
        context.set_dims(0, {dim_of((*limit)[0])});
      }
      return {};
    }
    numbers.push_back((*number)[0]);
  }
  std::vector<SymbolicInt> elements;
  std::int64_t at = numbers[0];
  bool known = numbers[2] != 0;
  while (known && (numbers[2] > 0 ? at < numbers[1] : at > numbers[1])) {
    elements.emplace_back(at);
    known = elements.size() <= static_cast<std::size_t>(kMostElements) &&
            !__builtin_add_overflow(at, numbers[2], &at);
  }
  if (known) {
    context.set_dims(0, list_of(elements.size()));
    context.set_elements(0, std::move(elements));
  }
  return {};
}

Status one_hot_shape(InferenceContext& context) {
  context.set_type(0, context.type(2));
  if (!context.dims(0)) {
    return {};
  }
  Dims dims = *context.dims(0);
  const Elements& depth = context.elements(1);
  dims.push_back(depth && depth->size() == 1 ? dim_of((*depth)[0]) : unknown_extent());
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), dims));
  std::rotate(dims.begin() + static_cast<std::ptrdiff_t>(axis), dims.end() - 1, dims.end());
  context.set_dims(0, std::move(dims));
  return {};
}

Status eye_like_shape(InferenceContext& context) {
  std::int64_t dtype = int_attribute(context.node(), "dtype");
  std::optional<ElementType> type = dtype == 0 ? context.type(0) : element_type_of(dtype);
  if (!type) {
    return Status::unsupported(fmt::format("attribute dtype is {}, which is no element type here", dtype));
  }
  context.set_type(0, *type);
  if (context.dims(0) && context.dims(0)->size() != 2) {
    return Status::invalid_argument(fmt::format("input {} is no matrix", to_string(*context.dims(0))));
  }
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  return {};
}

Status non_zero_shape(InferenceContext& context) {
  context.set_type(0, ElementType::kInt64);
  if (context.dims(0)) {
    context.set_dims(0, {Dim(static_cast<std::int64_t>(context.dims(0)->size())), unknown_extent()});
  }
  return {};
}

Status dropout_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  context.set_type(1, ElementType::kBool);
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
    context.set_dims(1, *context.dims(0));
  }
  return {};
}

}  // namespace zeropoint::toolchain
