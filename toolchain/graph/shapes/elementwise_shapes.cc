// Operators that compute each element from one element of each input, broadcast to each other. Where the
// elements are extents of shapes, they are followed.

#include <fmt/format.h>

#include <algorithm>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

Status set_broadcast_dims(InferenceContext& context) {
  Dims dims;
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    if (!context.dims(i)) {
      return {};
    }
    ZP_ASSIGN_OR_RETURN(dims, broadcast(dims, *context.dims(i)));
  }
  context.set_dims(0, std::move(dims));
  return {};
}

bool is_number(const SymbolicInt& element, std::int64_t value) { return element == SymbolicInt(value); }

const SymbolicInt& unknown() {
  static const SymbolicInt kUnknown{std::string()};
  return kUnknown;
}

/// The same extent, though nobody knows which.
bool is_same_symbol(const SymbolicInt& a, const SymbolicInt& b) { return a == b && a != unknown(); }

SymbolicInt compute(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (op) {
    case Op::kAdd:
      return __builtin_add_overflow(a, b, &result) ? unknown() : SymbolicInt(result);
    case Op::kSub:
      return __builtin_sub_overflow(a, b, &result) ? unknown() : SymbolicInt(result);
    case Op::kMul:
      return __builtin_mul_overflow(a, b, &result) ? unknown() : SymbolicInt(result);
    case Op::kDiv:
      return b == 0 || b == -1 ? unknown() : SymbolicInt(a / b);
    case Op::kMin:
      return std::min(a, b);
    case Op::kMax:
      return std::max(a, b);
    case Op::kEqual:
      return a == b ? 1 : 0;
    default:
      return unknown();
  }
}

/// One element of an operator on two integers.
SymbolicInt compute(Op op, const SymbolicInt& a, const SymbolicInt& b) {
  const auto* left = std::get_if<std::int64_t>(&a);
  const auto* right = std::get_if<std::int64_t>(&b);
  if (left != nullptr && right != nullptr) {
    return compute(op, *left, *right);
  }
  switch (op) {
    case Op::kAdd:
      return is_number(a, 0) ? b : (is_number(b, 0) ? a : unknown());
    case Op::kSub:
      return is_number(b, 0) ? a : (is_same_symbol(a, b) ? SymbolicInt(0) : unknown());
    case Op::kMul:
      return is_number(a, 1) ? b : (is_number(b, 1) ? a : unknown());
    case Op::kDiv:
      return is_number(b, 1) ? a : unknown();
    case Op::kMin:
    case Op::kMax:
      return is_same_symbol(a, b) ? a : unknown();
    case Op::kEqual: {
      if (is_same_symbol(a, b)) {
        return 1;
      }
      // A symbol with a name is an extent, which is never negative.
      bool differ = (left != nullptr && *left < 0 && b != unknown()) ||
                    (right != nullptr && *right < 0 && a != unknown());
      return differ ? SymbolicInt(0) : unknown();
    }
    default:
      return unknown();
  }
}

/// The element of a list that is broadcast to `count` elements.
const SymbolicInt& at(const std::vector<SymbolicInt>& elements, std::size_t i) {
  return elements[elements.size() == 1 ? 0 : i];
}

/// How many elements lists of these lengths are broadcast to.
std::size_t broadcast_count(std::initializer_list<std::size_t> counts) {
  return std::min(counts) == 0 ? 0 : std::max(counts);
}

/// Follows the elements of an operator on integers of at most one axis, whose dims fit.
void follow_elements(InferenceContext& context) {
  if (context.input_count() < 2 || !context.elements(0) || !context.outputs()[0].dims) {
    return;
  }
  std::vector<SymbolicInt> result = *context.elements(0);
  for (std::size_t k = 1; k < context.input_count(); ++k) {
    if (!context.elements(k)) {
      return;
    }
    const std::vector<SymbolicInt>& other = *context.elements(k);
    std::vector<SymbolicInt> combined;
    for (std::size_t i = 0; i < broadcast_count({result.size(), other.size()}); ++i) {
      combined.push_back(compute(context.node().op, at(result, i), at(other, i)));
    }
    result = std::move(combined);
  }
  context.set_elements(0, std::move(result));
}

/// What is known of a condition: of a constant, or of an Equal of extents.
Elements condition_elements(const InferenceContext& context) {
  const Tensor* constant = context.constant(0);
  if (constant == nullptr) {
    return context.elements(0);
  }
  if (constant->rank() > 1 || constant->size() > kMostElements) {
    return nullptr;
  }
  std::vector<SymbolicInt> elements;
  for (std::int64_t i = 0; i < constant->size(); ++i) {
    elements.emplace_back(std::int64_t{constant->bytes()[i] != std::byte{0}});
  }
  return std::make_shared<const std::vector<SymbolicInt>>(std::move(elements));
}

}  // namespace

Status elementwise_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(want_one_type(context));
  ZP_RETURN_IF_ERROR(set_broadcast_dims(context));
  follow_elements(context);
  return {};
}

Status compare_shape(InferenceContext& context) {
  context.set_type(0, ElementType::kBool);
  ZP_RETURN_IF_ERROR(want_one_type(context));
  ZP_RETURN_IF_ERROR(set_broadcast_dims(context));
  if (context.node().op == Op::kEqual) {
    follow_elements(context);
  }
  return {};
}

// The exponent may have another type than the base, which is that of the result.
Status pow_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  return set_broadcast_dims(context);
}

// Slopes are broadcast to the input, not the other way.
Status prelu_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(want_one_type(context));
  if (!context.dims(0) || !context.dims(1)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(Dims together, broadcast(x, *context.dims(1)));
  bool fits = together.size() == x.size();
  for (std::size_t i = 0; fits && i < x.size(); ++i) {
    fits = may_equal(x[i], together[i]);
  }
  if (!fits) {
    return Status::invalid_argument(
        fmt::format("slopes {} do not fit input {}", to_string(*context.dims(1)), to_string(x)));
  }
  context.set_dims(0, x);
  return {};
}

Status where_shape(InferenceContext& context) {
  context.set_type(0, context.type(1));
  ZP_RETURN_IF_ERROR(wants(context, 0, ElementType::kBool));
  ZP_RETURN_IF_ERROR(want_one_type(context, 1));
  ZP_RETURN_IF_ERROR(set_broadcast_dims(context));
  Elements condition = condition_elements(context);
  if (!condition || !context.elements(1) || !context.elements(2) || !context.outputs()[0].dims) {
    return {};
  }
  const std::vector<SymbolicInt>& x = *context.elements(1);
  const std::vector<SymbolicInt>& y = *context.elements(2);
  std::vector<SymbolicInt> chosen;
  for (std::size_t i = 0; i < broadcast_count({condition->size(), x.size(), y.size()}); ++i) {
    const SymbolicInt& is = at(*condition, i);
    if (is_number(is, 1) || at(x, i) == at(y, i)) {
      chosen.push_back(at(x, i));
    } else {
      chosen.push_back(is_number(is, 0) ? at(y, i) : unknown());
    }
  }
  context.set_elements(0, std::move(chosen));
  return {};
}

Status predicate_shape(InferenceContext& context) {
  context.set_type(0, ElementType::kBool);
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  return {};
}

Status cast_shape(InferenceContext& context) {
  std::optional<ElementType> type = context.node().op == Op::kCastLike
                                        ? context.type(1)
                                        : element_type_of(int_attribute(context.node(), "to"));
  if (!type) {
    return Status::unsupported(fmt::format("attribute to is {}, which is no element type here",
                                           int_attribute(context.node(), "to")));
  }
  context.set_type(0, *type);
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  bool keeps = *type == ElementType::kInt64 ||
               (*type == ElementType::kInt32 && context.type(0) == ElementType::kInt32);
  if (keeps && context.type(0) != ElementType::kBool) {
    context.copy_elements();
  } else if (*type == ElementType::kInt32 && context.elements(0)) {
    // Extents beyond 31 bits would change.
    std::optional<std::vector<std::int64_t>> numbers = context.ints(0);
    bool small = numbers && std::all_of(numbers->begin(), numbers->end(), [](std::int64_t number) {
                   return number == static_cast<std::int32_t>(number);
                 });
    if (small) {
      context.copy_elements();
    }
  }
  return {};
}

}  // namespace zeropoint::toolchain
