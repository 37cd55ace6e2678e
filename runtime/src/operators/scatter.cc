// ONNX ScatterElements and ScatterND: a copy of the input with updates written, added, multiplied, or
// compared in where indices say.

#include <algorithm>
#include <optional>

#include "operators/axes.h"
#include "operators/indices.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wrapping.h"

namespace zeropoint::operators {
namespace {

enum class Reduction : std::uint8_t { kNone, kAdd, kMul, kMax, kMin };

Result<Reduction> reduction_of(const OperatorCall& call) {
  std::string name = call.string_attribute("reduction");
  constexpr std::string_view kNames[] = {"none", "add", "mul", "max", "min"};
  const auto* found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) {
    return Status::invalid_argument("attribute reduction is '", name,
                                    "'; none, add, mul, max or min is needed");
  }
  return static_cast<Reduction>(found - std::begin(kNames));
}

template <typename T>
T reduced(Reduction reduction, T held, T update) {
  switch (reduction) {
    case Reduction::kAdd:
      return Plus<T>()(held, update);
    case Reduction::kMul:
      return Times<T>()(held, update);
    case Reduction::kMax:
      return std::max(held, update);
    case Reduction::kMin:
      return std::min(held, update);
    default:
      return update;
  }
}

/// Applies updates to y: for_each calls its argument with (offset of the update, offset in y).
template <typename ForEach>
Status apply(Reduction reduction, const Tensor& updates, Tensor& y, ForEach&& for_each) {
  auto write = [&](auto element) {
    using T = decltype(element);
    const T* from = elements_as<T>(updates).data();
    T* to = elements_as<T>(y).data();
    for_each([&](std::int64_t i, std::int64_t at) { to[at] = reduced(reduction, to[at], from[i]); });
    return Status();
  };
  return reduction == Reduction::kNone ? visit_width(y.type(), write) : visit_number(y.type(), write);
}

Status check_updates(const OperatorCall& call, const Shape& shape) {
  const Tensor& updates = call.input(2);
  if (updates.shape() == shape && updates.type() == call.input(0).type()) {
    return {};
  }
  return Status::invalid_argument("updates are ", name_of(updates.type()), updates.shape(), "; ",
                                  name_of(call.input(0).type()), shape, " is needed");
}

}  // namespace

Result<std::vector<Tensor>> scatter_elements(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(Reduction reduction, reduction_of(call));
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  ZP_ASSIGN_OR_RETURN(ElementsAt at, ElementsAt::of(x.shape(), call.input(1), axis));
  ZP_RETURN_IF_ERROR(check_updates(call, call.input(1).shape()));
  Tensor y = x;
  ZP_RETURN_IF_ERROR(apply(reduction, call.input(2), y, [&](auto&& write) { at.for_each(write); }));
  return one(std::move(y));
}

Result<std::vector<Tensor>> scatter_nd(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Shape& indices = call.input(1).shape();
  ZP_ASSIGN_OR_RETURN(Reduction reduction, reduction_of(call));
  ZP_ASSIGN_OR_RETURN(SlicesAt at, SlicesAt::of(x.shape(), call.input(1), 0));
  Shape shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), at.slice.begin(), at.slice.end());
  ZP_RETURN_IF_ERROR(check_updates(call, shape));
  Tensor y = x;
  ZP_RETURN_IF_ERROR(apply(reduction, call.input(2), y, [&](auto&& write) {
    for (std::size_t i = 0; i < at.offsets.size(); ++i) {
      for (std::int64_t k = 0; k < at.slice_size; ++k) {
        write(static_cast<std::int64_t>(i) * at.slice_size + k, at.offsets[i] + k);
      }
    }
  }));
  return one(std::move(y));
}

}  // namespace zeropoint::operators
