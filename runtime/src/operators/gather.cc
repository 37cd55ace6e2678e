// ONNX Gather, GatherElements, GatherND and Compress: elements chosen by their indices.

#include <cstring>

#include "operators/axes.h"
#include "operators/indices.h"
#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// The slices of x at `chosen` along an axis, in an output of `shape`.
Result<std::vector<Tensor>> take(const OperatorCall& call, const AlongAxis& along,
                                 const std::vector<std::int64_t>& chosen, Shape shape) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  if (y.size() > 0) {
    std::vector<std::int64_t> middle;
    for (std::int64_t index : chosen) {
      middle.push_back(index * along.inner);
    }
    move_elements(
        x, {evenly(along.outer, along.extent * along.inner), std::move(middle), evenly(along.inner, 1)},
        nullptr, y);
  }
  return one(std::move(y));
}

}  // namespace

// y[a..., i..., b...] = x[a..., indices[i...], b...]
Result<std::vector<Tensor>> gather(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Shape& indices = call.input(1).shape();
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> chosen, indices_of(call.input(1), along.extent));
  auto at = static_cast<std::ptrdiff_t>(axis);
  Shape shape(x.shape().begin(), x.shape().begin() + at);
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), x.shape().begin() + at + 1, x.shape().end());
  return take(call, along, chosen, std::move(shape));
}

Result<std::vector<Tensor>> compress(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& condition = call.input(1);
  bool flat = !call.attributes().contains("axis");
  AlongAxis along{1, x.size(), 1};
  Shape shape{0};
  std::size_t axis = 0;
  if (!flat) {
    ZP_ASSIGN_OR_RETURN(axis, axis_in(call.int_attribute("axis"), x.shape()));
    ZP_ASSIGN_OR_RETURN(along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
    shape = x.shape();
  }
  if (condition.type() != ElementType::kBool || condition.rank() != 1 || condition.size() > along.extent) {
    return Status::invalid_argument("its condition must be a list of at most ", along.extent, " bools");
  }
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < condition.size(); ++i) {
    if (condition.bytes()[i] != std::byte{0}) {
      chosen.push_back(i);
    }
  }
  shape[axis] = static_cast<std::int64_t>(chosen.size());
  return take(call, along, chosen, std::move(shape));
}

// y[i...] = x[i..., with indices[i...] in place of i at the axis]
Result<std::vector<Tensor>> gather_elements(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  ZP_ASSIGN_OR_RETURN(ElementsAt at, ElementsAt::of(x.shape(), call.input(1), axis));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), call.input(1).shape()));
  ZP_RETURN_IF_ERROR(visit_width(x.type(), [&](auto element) {
    using T = decltype(element);
    at.for_each([&](std::int64_t i, std::int64_t from) {
      elements_as<T>(y)[static_cast<std::size_t>(i)] = elements_as<T>(x)[static_cast<std::size_t>(from)];
    });
    return Status();
  }));
  return one(std::move(y));
}

Result<std::vector<Tensor>> gather_nd(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(SlicesAt at, SlicesAt::of(x.shape(), call.input(1), call.int_attribute("batch_dims")));
  const Shape& indices = call.input(1).shape();
  Shape shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), at.slice.begin(), at.slice.end());
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  std::size_t bytes = static_cast<std::size_t>(at.slice_size) * size_of(x.type());
  for (std::size_t i = 0; i < at.offsets.size() && y.size() > 0; ++i) {
    std::memcpy(y.bytes() + i * bytes,
                x.bytes() + static_cast<std::size_t>(at.offsets[i]) * size_of(x.type()), bytes);
  }
  return one(std::move(y));
}

}  // namespace zeropoint::operators
