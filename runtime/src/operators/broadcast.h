#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// Computes `count` elements from as many of each input, all contiguous: the inner loop of an elementwise
/// operator.
using RowKernel = void (*)(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count);

/// The shape to which ONNX's multidirectional broadcasting brings tensors of shapes a and b; kInvalidArgument
/// where they do not fit each other.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);

/// The same for all inputs of the call.
Result<Shape> broadcast_shape(const OperatorCall& call);

/// The one type of all inputs of the call; kInvalidArgument where they differ, kUnsupported for elements of 4
/// bits, which are stored and moved but not computed with.
Result<ElementType> common_type(const OperatorCall& call);

/// The call's inputs broadcast to an output of `type`, row by row through `kernel`.
Result<std::vector<Tensor>> broadcast(const OperatorCall& call, ElementType type, RowKernel kernel);

/// The same over any inputs that broadcast to the shape of `output`.
void broadcast_rows(std::span<const Tensor* const> inputs, Tensor& output, RowKernel kernel);

/// The RowKernel of a stateless Function over two inputs of type T.
template <typename T, typename Out, typename Function>
void binary_row(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
  const T* a = reinterpret_cast<const T*>(inputs[0]);
  const T* b = reinterpret_cast<const T*>(inputs[1]);
  Out* out = reinterpret_cast<Out*>(output);
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<Out>(Function()(a[i], b[i]));
  }
}

}  // namespace zeropoint::operators
