// ONNX Pow: the base gives the type of the result, the exponent may have any other.

#include <cmath>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {
namespace {

template <typename T>
struct Power {
  T operator()(T base, T exponent) const { return std::pow(base, exponent); }
};
template <typename T>
struct Square {
  T operator()(T base, T /*exponent*/) const { return base * base; }
};
template <typename T>
struct Cube {
  T operator()(T base, T /*exponent*/) const { return base * base * base; }
};

/// Modulo 2^64. A negative exponent takes the integer part of the reciprocal; base 0 has none.
struct IntegerPower {
  std::int64_t operator()(std::int64_t base, std::int64_t exponent) const {
    if (exponent < 0) {
      bool odd = (exponent & 1) != 0;
      return base == 1 ? 1 : (base == -1 ? (odd ? -1 : 1) : 0);
    }
    std::uint64_t result = 1;
    auto factor = static_cast<std::uint64_t>(base);
    for (std::int64_t rest = exponent; rest != 0; rest >>= 1) {
      result *= (rest & 1) != 0 ? factor : 1;
      factor *= factor;
    }
    return static_cast<std::int64_t>(result);
  }
};

template <typename T>
RowKernel power_kernel(const Tensor& exponent) {
  T only = exponent.size() == 1 ? exponent.data<T>()[0] : T{};
  return only == T{2} ? binary_row<T, T, Square<T>>
                      : (only == T{3} ? binary_row<T, T, Cube<T>> : binary_row<T, T, Power<T>>);
}

/// Base and exponent computed in `type`, the result in that of the base.
Result<std::vector<Tensor>> pow_in(const OperatorCall& call, ElementType type) {
  Tensor base = convert(call.input(0), type);
  Tensor exponent = convert(call.input(1), type);
  ZP_ASSIGN_OR_RETURN(Shape shape, broadcast_shape(call));
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(type, std::move(shape)));
  RowKernel kernel =
      type == ElementType::kInt64
          ? binary_row<std::int64_t, std::int64_t, IntegerPower>
          : (type == ElementType::kFloat32 ? power_kernel<float>(exponent) : power_kernel<double>(exponent));
  const Tensor* inputs[] = {&base, &exponent};
  broadcast_rows(inputs, output, kernel);
  return one(convert(output, call.input(0).type()));
}

}  // namespace

Result<std::vector<Tensor>> pow(const OperatorCall& call) {
  ElementType base = call.input(0).type();
  ElementType exponent = call.input(1).type();
  bool whole = is_integer(base) && is_integer(exponent);
  bool numbers = (is_integer(base) || base == ElementType::kFloat32 || base == ElementType::kFloat64) &&
                 exponent != ElementType::kBool;
  if (!numbers) {
    return Status::unsupported("it is not computed on ", name_of(base), " to the power of ",
                               name_of(exponent));
  }
  return pow_in(call, whole ? ElementType::kInt64 : (is_integer(base) ? ElementType::kFloat64 : base));
}

}  // namespace zeropoint::operators
