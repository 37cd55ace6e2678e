// ONNX Add, Sub, Mul, Div, Mod, Min, Max, Sum, Mean and PRelu: numbers of one type, broadcast to each other.
// Integers wrap around; Div of integers rounds towards zero.

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wrapping.h"

namespace zeropoint::operators {
namespace {

template <typename T>
bool is_nan(T value) {
  return value != value;
}

/// An integer b is not 0.
template <typename T>
struct Over {
  T operator()(T a, T b) const {
    if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
      // The quotient of the lowest number and -1 does not fit.
      return b == T(-1) ? Minus<T>()(T{}, a) : static_cast<T>(a / b);
    } else {
      return static_cast<T>(a / b);
    }
  }
};
/// The remainder with the sign of the dividend, as std::fmod has it.
template <typename T>
struct Remainder {
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return std::fmod(a, b);
    } else {
      return std::is_signed_v<T> && b == T(-1) ? T{} : static_cast<T>(a % b);
    }
  }
};
/// The remainder with the sign of the divisor.
template <typename T>
struct Modulo {
  T operator()(T a, T b) const {
    T rest = Remainder<T>()(a, b);
    return rest != T{} && (rest < T{}) != (b < T{}) ? static_cast<T>(rest + b) : rest;
  }
};
/// A NaN in either wins.
template <typename T>
struct Lesser {
  T operator()(T a, T b) const { return a < b || is_nan(a) ? a : b; }
};
template <typename T>
struct Larger {
  T operator()(T a, T b) const { return a > b || is_nan(a) ? a : b; }
};
template <typename T>
struct Slope {
  T operator()(T x, T slope) const { return x < T{} ? Times<T>()(x, slope) : x; }
};

template <typename T>
RowKernel binary_kernel(Op op, bool fmod) {
  switch (op) {
    case Op::kAdd:
      return binary_row<T, T, Plus<T>>;
    case Op::kSub:
      return binary_row<T, T, Minus<T>>;
    case Op::kMul:
      return binary_row<T, T, Times<T>>;
    case Op::kDiv:
      return binary_row<T, T, Over<T>>;
    case Op::kMod:
      return fmod ? binary_row<T, T, Remainder<T>> : binary_row<T, T, Modulo<T>>;
    default:
      return binary_row<T, T, Slope<T>>;
  }
}

/// Combines all inputs from the first on.
template <typename T, typename Function>
void fold_row(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
  T* out = reinterpret_cast<T*>(output);
  std::copy_n(reinterpret_cast<const T*>(inputs[0]), count, out);
  for (std::size_t k = 1; k < inputs.size(); ++k) {
    const T* in = reinterpret_cast<const T*>(inputs[k]);
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = Function()(out[i], in[i]);
    }
  }
}

template <typename T>
void mean_row(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
  fold_row<T, Plus<T>>(inputs, output, count);
  T* out = reinterpret_cast<T*>(output);
  std::transform(out, out + count, out, [&](T sum) { return sum / static_cast<T>(inputs.size()); });
}

template <typename T>
bool has_zero(const Tensor& tensor) {
  std::span<const T> elements = tensor.data<T>();
  return std::ranges::find(elements, T{}) != elements.end();
}

}  // namespace

Result<std::vector<Tensor>> arithmetic(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  bool fmod = call.op() == Op::kMod && call.int_attribute("fmod") != 0;
  bool divides = call.op() == Op::kDiv || call.op() == Op::kMod;
  if (call.op() == Op::kPRelu) {
    ZP_ASSIGN_OR_RETURN(Shape shape, broadcast_shape(call));
    if (shape != call.input(0).shape()) {
      return Status::invalid_argument("slopes ", call.input(1).shape(), " do not fit input ",
                                      call.input(0).shape());
    }
  }
  return visit_number(type, [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    if (std::is_integral_v<T> && divides && has_zero<T>(call.input(1))) {
      return Status::invalid_argument("it divides integers by zero");
    }
    if (std::is_floating_point_v<T> && call.op() == Op::kMod && !fmod) {
      return Status::invalid_argument("attribute fmod must be 1 for floating point");
    }
    return broadcast(call, type, binary_kernel<T>(call.op(), fmod));
  });
}

Result<std::vector<Tensor>> variadic(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  if (call.op() == Op::kSum || call.op() == Op::kMean) {
    return visit_float(type, [&](auto element) -> Result<std::vector<Tensor>> {
      using T = decltype(element);
      return broadcast(call, type, call.op() == Op::kSum ? fold_row<T, Plus<T>> : mean_row<T>);
    });
  }
  return visit_number(type, [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    return broadcast(call, type, call.op() == Op::kMin ? fold_row<T, Lesser<T>> : fold_row<T, Larger<T>>);
  });
}

}  // namespace zeropoint::operators
