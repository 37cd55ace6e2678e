#pragma once

#include <string>
#include <utility>

#include "zeropoint/tensor.h"

namespace zeropoint::operators {

/// Calls function(T{}) with the C++ type of float32 or float64 elements; another type is kUnsupported.
template <typename Function>
auto visit_float(ElementType type, Function&& function) -> decltype(function(float{})) {
  if (type == ElementType::kFloat32) {
    return function(float{});
  }
  if (type == ElementType::kFloat64) {
    return function(double{});
  }
  return Status::unsupported("it is not computed on ", name_of(type), " here");
}

/// The same with the C++ type of any number: integers of 8 to 64 bits, float32, float64.
template <typename Function>
auto visit_number(ElementType type, Function&& function) -> decltype(function(float{})) {
  decltype(function(float{})) result = Status::internal("no type was visited");
  if (visit_integer(type, [&](auto element) { result = function(element); })) {
    return result;
  }
  return visit_float(type, std::forward<Function>(function));
}

/// Where there are only sums and products, to which the sign of integers is nothing: T is float, double or
/// std::int64_t. Narrower integers do not come here (evaluate.cc).
template <typename Function>
auto visit_products(ElementType type, Function&& function) -> decltype(function(float{})) {
  if (type == ElementType::kInt64 || type == ElementType::kUint64) {
    return function(std::int64_t{});
  }
  return visit_float(type, std::forward<Function>(function));
}

/// Where elements only move: calls function(T{}) with an unsigned integer as wide as the elements of `type`.
template <typename Function>
auto visit_width(ElementType type, Function&& function) -> decltype(function(std::uint8_t{})) {
  switch (size_of(type)) {
    case 1:
      return function(std::uint8_t{});
    case 2:
      return function(std::uint16_t{});
    case 4:
      return function(std::uint32_t{});
    default:
      return function(std::uint64_t{});
  }
}

/// The elements of a tensor as T, which must be as wide as they are; bool as std::uint8_t.
template <typename T>
std::span<const T> elements_as(const Tensor& tensor) {
  return {reinterpret_cast<const T*>(tensor.bytes()), static_cast<std::size_t>(tensor.size())};
}
template <typename T>
std::span<T> elements_as(Tensor& tensor) {
  return {reinterpret_cast<T*>(tensor.bytes()), static_cast<std::size_t>(tensor.size())};
}

/// A single output.
inline std::vector<Tensor> one(Tensor tensor) {
  std::vector<Tensor> outputs;
  outputs.push_back(std::move(tensor));
  return outputs;
}

}  // namespace zeropoint::operators
