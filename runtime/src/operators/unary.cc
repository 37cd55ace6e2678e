// ONNX operators that compute one real from one real, and Abs, Neg, Sign and Shrink of any number. NaNs come
// through as they do in NumPy.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {
namespace {

/// function(T{}) in the type T of the call's reals; kUnsupported for other types.
template <typename Function>
Result<std::vector<Tensor>> visit_reals(const OperatorCall& call, Function function) {
  ElementType type = call.input(0).type();
  if (type == ElementType::kFloat32) {
    return function(float{});
  }
  if (type == ElementType::kFloat64) {
    return function(double{});
  }
  return Status::unsupported("it is not computed on ", name_of(type), " here");
}

template <typename T, typename Function>
Result<std::vector<Tensor>> map(const OperatorCall& call, Function function) {
  return map_elements(call, kElementTypeOf<T>, unary_row<T, T>(function));
}

template <typename T>
T sigmoid(T x) {
  return T{1} / (T{1} + std::exp(-x));
}
template <typename T>
T softplus(T x) {
  return std::log1p(std::exp(-std::fabs(x))) + std::max(x, T{});
}
template <typename T>
T between_0_and_1(T x) {
  return x < T{} ? T{} : (x > T{1} ? T{1} : x);
}

/// erfc instead of 1 + erf keeps the digits of large negative x, where the sum loses them.
template <typename T>
T gelu(T x) {
  return T(0.5) * x * std::erfc(-x / std::numbers::sqrt2_v<T>);
}
/// 0.5 (1 + tanh(u)) = sigmoid(2u), for the same reason.
template <typename T>
T gelu_tanh(T x) {
  T u = std::sqrt(T{2} * std::numbers::inv_pi_v<T>) * (x + T(0.044715) * x * x * x);
  return x * sigmoid(T{2} * u);
}

/// The functions without attributes; nullptr for others.
template <typename T>
T (*function_of(Op op))
(T) {
  switch (op) {
    case Op::kAcos:
      return [](T x) { return std::acos(x); };
    case Op::kAcosh:
      return [](T x) { return std::acosh(x); };
    case Op::kAsin:
      return [](T x) { return std::asin(x); };
    case Op::kAsinh:
      return [](T x) { return std::asinh(x); };
    case Op::kAtan:
      return [](T x) { return std::atan(x); };
    case Op::kAtanh:
      return [](T x) { return std::atanh(x); };
    case Op::kCeil:
      return [](T x) { return std::ceil(x); };
    case Op::kCos:
      return [](T x) { return std::cos(x); };
    case Op::kCosh:
      return [](T x) { return std::cosh(x); };
    case Op::kErf:
      return [](T x) { return std::erf(x); };
    case Op::kExp:
      return [](T x) { return std::exp(x); };
    case Op::kFloor:
      return [](T x) { return std::floor(x); };
    case Op::kLog:
      return [](T x) { return std::log(x); };
    case Op::kMish:
      return [](T x) { return x * std::tanh(softplus(x)); };
    case Op::kReciprocal:
      return [](T x) { return T{1} / x; };
    case Op::kRound:
      return [](T x) { return std::nearbyint(x); };  // ties to even
    case Op::kSigmoid:
      return [](T x) { return sigmoid(x); };
    case Op::kSin:
      return [](T x) { return std::sin(x); };
    case Op::kSinh:
      return [](T x) { return std::sinh(x); };
    case Op::kSoftplus:
      return [](T x) { return softplus(x); };
    case Op::kSoftsign:
      return [](T x) { return x / (T{1} + std::fabs(x)); };
    case Op::kSqrt:
      return [](T x) { return std::sqrt(x); };
    case Op::kTan:
      return [](T x) { return std::tan(x); };
    case Op::kTanh:
      return [](T x) { return std::tanh(x); };
    default:
      return nullptr;
  }
}

template <typename T>
Result<std::vector<Tensor>> activation_of(const OperatorCall& call) {
  // An operator without the attribute has 0 for it.
  auto alpha = static_cast<T>(call.float_attribute("alpha"));
  auto beta = static_cast<T>(call.float_attribute("beta"));
  auto gamma = static_cast<T>(call.float_attribute("gamma"));
  switch (call.op()) {
    case Op::kCelu:
      return map<T>(call, [=](T v) { return v > T{} ? v : alpha * std::expm1(v / alpha); });
    case Op::kElu:
      return map<T>(call, [=](T v) { return v > T{} ? v : alpha * std::expm1(v); });
    case Op::kHardSigmoid:
      return map<T>(call, [=](T v) { return between_0_and_1(alpha * v + beta); });
    case Op::kHardSwish:
      return map<T>(call, [=](T v) { return v * between_0_and_1(v / T{6} + T(0.5)); });
    case Op::kLeakyRelu:
      return map<T>(call, [=](T v) { return v < T{} ? alpha * v : v; });
    case Op::kSelu:
      return map<T>(call, [=](T v) { return gamma * (v > T{} ? v : alpha * std::expm1(v)); });
    case Op::kSwish:
      return map<T>(call, [=](T v) { return v * sigmoid(alpha * v); });
    default:  // ThresholdedRelu
      return map<T>(call, [=](T v) { return v <= alpha ? T{} : v; });
  }
}

/// Neg, Abs or Sign. The lowest integer has no opposite and stays.
template <typename T>
T negative(T v) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(v));
  } else {
    return -v;
  }
}

template <typename T>
Result<std::vector<Tensor>> sign_of(const OperatorCall& call) {
  if (call.op() == Op::kNeg) {
    return map<T>(call, [](T v) { return negative(v); });
  }
  if (call.op() == Op::kAbs) {
    return map<T>(call, [](T v) {
      if constexpr (std::is_integral_v<T>) {
        return v < T{} ? negative(v) : v;
      } else {
        return std::fabs(v);
      }
    });
  }
  return map<T>(call, [](T v) { return v > T{} ? T{1} : (v < T{} ? static_cast<T>(-1) : v); });
}

}  // namespace

Result<std::vector<Tensor>> real_function(const OperatorCall& call) {
  return visit_reals(call, [&](auto element) {
    using T = decltype(element);
    if (call.op() == Op::kSqrt) {  // by value, which the compiler can vectorise
      return map<T>(call, [](T v) { return std::sqrt(v); });
    }
    if (call.op() == Op::kReciprocal) {
      return map<T>(call, [](T v) { return T{1} / v; });
    }
    return map<T>(call, function_of<T>(call.op()));
  });
}

Result<std::vector<Tensor>> activation(const OperatorCall& call) {
  return visit_reals(call, [&](auto element) { return activation_of<decltype(element)>(call); });
}

Result<std::vector<Tensor>> gelu(const OperatorCall& call) {
  std::string approximate = call.string_attribute("approximate");
  if (approximate != "none" && approximate != "tanh") {
    return Status::invalid_argument("attribute approximate is '", approximate, "'; none or tanh is needed");
  }
  return visit_reals(call, [&](auto element) {
    using T = decltype(element);
    return map<T>(call, approximate == "none" ? gelu<T> : gelu_tanh<T>);
  });
}

Result<std::vector<Tensor>> sign_function(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  return visit_number(
      type, [&](auto element) -> Result<std::vector<Tensor>> { return sign_of<decltype(element)>(call); });
}

Result<std::vector<Tensor>> shrink(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  double bias = call.float_attribute("bias");
  double lambd = call.float_attribute("lambd");
  Tensor reals = convert(call.input(0), ElementType::kFloat64);
  for (double& value : reals.data<double>()) {
    if (!std::isnan(value)) {
      value = value < -lambd ? value + bias : (value > lambd ? value - bias : 0);
    }
  }
  return one(convert(reals, type));
}

Result<std::vector<Tensor>> predicate(const OperatorCall& call) {
  bool positive = call.op() == Op::kIsNaN || call.int_attribute("detect_positive") != 0;
  bool negative = call.op() == Op::kIsNaN || call.int_attribute("detect_negative") != 0;
  bool nan = call.op() == Op::kIsNaN;
  return visit_float(call.input(0).type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    return map_elements(call, ElementType::kBool, unary_row<T, std::uint8_t>([=](T v) {
                          return nan ? std::isnan(v) : std::isinf(v) && (v > T{} ? positive : negative);
                        }));
  });
}

}  // namespace zeropoint::operators
