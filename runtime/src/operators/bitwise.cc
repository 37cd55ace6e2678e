// ONNX BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot and BitShift, on integers.

#include <functional>
#include <limits>
#include <type_traits>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// Shifts by the number of bits or more leave nothing.
template <typename T>
struct ShiftLeft {
  T operator()(T a, T b) const {
    return b < std::numeric_limits<T>::digits ? static_cast<T>(std::uint64_t{a} << b) : T{};
  }
};
template <typename T>
struct ShiftRight {
  T operator()(T a, T b) const { return b < std::numeric_limits<T>::digits ? static_cast<T>(a >> b) : T{}; }
};

template <typename T>
RowKernel bitwise_kernel(Op op) {
  switch (op) {
    case Op::kBitwiseAnd:
      return binary_row<T, T, std::bit_and<T>>;
    case Op::kBitwiseOr:
      return binary_row<T, T, std::bit_or<T>>;
    default:
      return binary_row<T, T, std::bit_xor<T>>;
  }
}

Status wants_integers(ElementType type) {
  return is_integer(type) ? Status()
                          : Status::invalid_argument("its inputs must be integers, not ", name_of(type));
}

}  // namespace

Result<std::vector<Tensor>> bitwise(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  ZP_RETURN_IF_ERROR(wants_integers(type));
  return visit_width(type, [&](auto element) -> Result<std::vector<Tensor>> {
    return broadcast(call, type, bitwise_kernel<decltype(element)>(call.op()));
  });
}

Result<std::vector<Tensor>> bitwise_not(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  ZP_RETURN_IF_ERROR(wants_integers(type));
  return visit_width(type, [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    return map_elements(call, type, unary_row<T, T>([](T value) { return static_cast<T>(~value); }));
  });
}

Result<std::vector<Tensor>> bit_shift(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  std::string direction = call.string_attribute("direction");
  if (direction != "LEFT" && direction != "RIGHT") {
    return Status::invalid_argument("attribute direction is '", direction, "'; LEFT or RIGHT is needed");
  }
  bool is_unsigned = type == ElementType::kUint8 || type == ElementType::kUint16 ||
                     type == ElementType::kUint32 || type == ElementType::kUint64;
  if (!is_unsigned) {
    return Status::invalid_argument("its inputs must be unsigned integers, not ", name_of(type));
  }
  return visit_width(type, [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    return broadcast(call, type,
                     direction == "LEFT" ? binary_row<T, T, ShiftLeft<T>> : binary_row<T, T, ShiftRight<T>>);
  });
}

}  // namespace zeropoint::operators
