#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/operations.h"
#include "zeropoint/tensor.h"

namespace zeropoint::reference {

/// Zeros of a shape that was computed from a program's numbers; kResourceExhausted when it has too many
/// elements.
Result<Tensor> make_tensor(ElementType type, Shape shape);

/// q - zero_point of each element of an integer tensor of at most 16 bits.
std::vector<std::int32_t> steps_of(const Tensor& tensor, std::int64_t zero_point);

/// The elements as float32 reals; kInvalidArgument when several scales do not fit the axis.
Result<Tensor> dequantized(const Tensor& tensor, const Dequantization& from);

/// A float32 tensor as integers.
Tensor quantized(const Tensor& real, const Quantization& to, ElementType type);

/// Writes function(i), an integer that the type holds, to each element i.
template <typename Function>
void fill(Tensor& tensor, Function function) {
  visit_integer(tensor.type(), [&](auto element) {
    using T = decltype(element);
    T* out = tensor.data<T>().data();
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      out[i] = static_cast<T>(function(i));
    }
  });
}

}  // namespace zeropoint::reference
