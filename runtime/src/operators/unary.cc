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

template <typename T, typename Function>
void map(const Tensor& x, Tensor& y, Function function) {
  std::transform(x.data<T>().begin(), x.data<T>().end(), y.data<T>().begin(), function);
}

/// Calls function(T{}, y) to fill y, of the shape and type of the call's input, in the type T of its reals.
template <typename Function>
Result<std::vector<Tensor>> map_reals(const OperatorCall& call, Function function) {
  const Tensor& x = call.input(0);
  Tensor y(x.type(), x.shape());
  if (x.type() == ElementType::kFloat32) {
    function(float{}, y);
  } else if (x.type() == ElementType::kFloat64) {
    function(double{}, y);
  } else {
    return Status::unsupported("it is not computed on " + std::string(name_of(x.type())) + " here");
  }
  return one(std::move(y));
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
void activation_of(const OperatorCall& call, Tensor& y) {
  const Tensor& x = call.input(0);
  // An operator without the attribute has 0 for it.
  auto alpha = static_cast<T>(call.float_attribute("alpha"));
  auto beta = static_cast<T>(call.float_attribute("beta"));
  auto gamma = static_cast<T>(call.float_attribute("gamma"));
  switch (call.op()) {
    case Op::kCelu:
      return map<T>(x, y, [=](T v) { return v > T{} ? v : alpha * std::expm1(v / alpha); });
    case Op::kElu:
      return map<T>(x, y, [=](T v) { return v > T{} ? v : alpha * std::expm1(v); });
    case Op::kHardSigmoid:
      return map<T>(x, y, [=](T v) { return between_0_and_1(alpha * v + beta); });
    case Op::kHardSwish:
      return map<T>(x, y, [=](T v) { return v * between_0_and_1(v / T{6} + T(0.5)); });
    case Op::kLeakyRelu:
      return map<T>(x, y, [=](T v) { return v < T{} ? alpha * v : v; });
    case Op::kSelu:
      return map<T>(x, y, [=](T v) { return gamma * (v > T{} ? v : alpha * std::expm1(v)); });
    case Op::kSwish:
      return map<T>(x, y, [=](T v) { return v * sigmoid(alpha * v); });
    default:  // ThresholdedRelu
      return map<T>(x, y, [=](T v) { return v <= alpha ? T{} : v; });
  }
}

/// Neg, Abs or Sign. The lowest integer has no opposite and stays.
template <typename T>
void sign_of(Op op, const Tensor& x, Tensor& y) {
  auto negative = [](T v) {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(v));
    } else {
      return -v;
    }
  };
  if (op == Op::kNeg) {
    map<T>(x, y, negative);
  } else if (op == Op::kAbs) {
    map<T>(x, y, [&](T v) {
      if constexpr (std::is_integral_v<T>) {
        return v < T{} ? negative(v) : v;
      } else {
        return std::fabs(v);
      }
    });
  } else {
    map<T>(x, y, [](T v) { return v > T{} ? T{1} : (v < T{} ? static_cast<T>(-1) : v); });
  }
}

/// Calls function(T{}) with the type of any number; false for other types.
template <typename Function>
bool visit_any_number(ElementType type, Function function) {
  if (type == ElementType::kFloat32) {
    function(float{});
  } else if (type == ElementType::kFloat64) {
    function(double{});
  } else {
    return visit_integer(type, function);
  }
  return true;
}

}  // namespace

Result<std::vector<Tensor>> real_function(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  return map_reals(call, [&](auto element, Tensor& y) {
    using T = decltype(element);
    if (call.op() == Op::kSqrt) {  // by value, which the compiler can vectorise
      map<T>(x, y, [](T v) { return std::sqrt(v); });
    } else if (call.op() == Op::kReciprocal) {
      map<T>(x, y, [](T v) { return T{1} / v; });
    } else {
      map<T>(x, y, function_of<T>(call.op()));
    }
  });
}

Result<std::vector<Tensor>> activation(const OperatorCall& call) {
  return map_reals(call, [&](auto element, Tensor& y) { activation_of<decltype(element)>(call, y); });
}

Result<std::vector<Tensor>> gelu(const OperatorCall& call) {
  std::string approximate = call.string_attribute("approximate");
  if (approximate != "none" && approximate != "tanh") {
    return Status::invalid_argument("attribute approximate is '" + approximate + "'; none or tanh is needed");
  }
  return map_reals(call, [&](auto element, Tensor& y) {
    using T = decltype(element);
    map<T>(call.input(0), y, approximate == "none" ? gelu<T> : gelu_tanh<T>);
  });
}

Result<std::vector<Tensor>> sign_function(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  Tensor y(type, x.shape());
  bool visited = visit_any_number(type, [&](auto element) { sign_of<decltype(element)>(call.op(), x, y); });
  return visited ? Result<std::vector<Tensor>>(one(std::move(y)))
                 : Status::unsupported("it is not computed on " + std::string(name_of(type)));
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
  const Tensor& x = call.input(0);
  bool positive = call.op() == Op::kIsNaN || call.int_attribute("detect_positive") != 0;
  bool negative = call.op() == Op::kIsNaN || call.int_attribute("detect_negative") != 0;
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor output(ElementType::kBool, x.shape());
    std::transform(
        x.data<T>().begin(), x.data<T>().end(), elements_as<std::uint8_t>(output).begin(), [&](T v) {
          bool is =
              call.op() == Op::kIsNaN ? std::isnan(v) : std::isinf(v) && (v > T{} ? positive : negative);
          return static_cast<std::uint8_t>(is);
        });
    return one(std::move(output));
  });
}

}  // namespace zeropoint::operators
