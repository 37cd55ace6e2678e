// ONNX Equal, Less, LessOrEqual, Greater, GreaterOrEqual, And, Or, Xor: two inputs, broadcast, to bool.

#include <functional>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

template <typename T>
RowKernel compare_kernel(Op op) {
  switch (op) {
    case Op::kLess:
      return binary_row<T, std::uint8_t, std::less<T>>;
    case Op::kLessOrEqual:
      return binary_row<T, std::uint8_t, std::less_equal<T>>;
    case Op::kGreater:
      return binary_row<T, std::uint8_t, std::greater<T>>;
    case Op::kGreaterOrEqual:
      return binary_row<T, std::uint8_t, std::greater_equal<T>>;
    default:
      return binary_row<T, std::uint8_t, std::equal_to<T>>;
  }
}

RowKernel logical_kernel(Op op) {
  using B = std::uint8_t;  // 0 or 1
  switch (op) {
    case Op::kAnd:
      return binary_row<B, B, std::logical_and<B>>;
    case Op::kOr:
      return binary_row<B, B, std::logical_or<B>>;
    case Op::kXor:
      return binary_row<B, B, std::not_equal_to<bool>>;
    default:
      return binary_row<B, B, std::equal_to<bool>>;
  }
}

}  // namespace

Result<std::vector<Tensor>> compare(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  if (type == ElementType::kBool && call.op() == Op::kEqual) {
    return broadcast(call, ElementType::kBool, logical_kernel(Op::kEqual));
  }
  return visit_number(type, [&](auto element) -> Result<std::vector<Tensor>> {
    return broadcast(call, ElementType::kBool, compare_kernel<decltype(element)>(call.op()));
  });
}

Result<std::vector<Tensor>> logical(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  if (type != ElementType::kBool) {
    return Status::invalid_argument("its inputs must be bool, not ", name_of(type));
  }
  return broadcast(call, ElementType::kBool, logical_kernel(call.op()));
}

Result<std::vector<Tensor>> logical_not(const OperatorCall& call) {
  if (call.input(0).type() != ElementType::kBool) {
    return Status::invalid_argument("its input must be bool, not ", name_of(call.input(0).type()));
  }
  using B = std::uint8_t;
  return map_elements(call, ElementType::kBool, unary_row<B, B>([](B value) { return value == 0 ? 1 : 0; }));
}

}  // namespace zeropoint::operators
