#pragma once

#include <cstdint>
#include <utility>

#include "zeropoint/tensor.h"

namespace zeropoint::operators {

/// Calls function(W{}) with the one of double, std::int64_t and std::uint64_t that holds every element of
/// `type` exactly. Operators that are written over these three need no code per element type.
template <typename Function>
auto visit_wide(ElementType type, Function&& function) {
  switch (type) {
    case ElementType::kFloat32:
    case ElementType::kFloat64:
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      return function(double{});
    case ElementType::kUint64:
      return function(std::uint64_t{});
    default:
      return function(std::int64_t{});
  }
}

/// Elements [first, first + count) as W, which must be the type that visit_wide gives for them; bool as 0
/// and 1.
template <typename W>
void load_wide(const Tensor& tensor, std::int64_t first, std::int64_t count, W* out);

/// The other way, into elements of any type, as ONNX Cast has it: integers lose their higher bits; a real
/// becomes the integer towards zero (for 4 bits the nearest, ties to even), the nearest there is where it is
/// out of range, 0 for a NaN; bool is whether it is not 0.
template <typename W>
void store_wide(const W* in, std::int64_t count, Tensor& tensor, std::int64_t first);

/// `count` elements of type `from` converted so.
void convert(const std::byte* in, ElementType from, std::byte* out, ElementType to, std::int64_t count);

/// The tensor with its elements converted so.
Tensor convert(const Tensor& tensor, ElementType type);

}  // namespace zeropoint::operators
