// ONNX Einsum: products of operands summed over the labels that the output does not have. Operands are
// contracted from the left, two at a time, each time as a batched product of matrices.

#include "zeropoint/einsum.h"

#include <algorithm>
#include <map>
#include <type_traits>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"
#include "operators/window_taps.h"
#include "operators/wrapping.h"

namespace zeropoint::operators {
namespace {

using Labels = std::vector<int>;
using Extents = std::map<int, std::int64_t>;

bool contains(const Labels& labels, int label) { return std::ranges::find(labels, label) != labels.end(); }

/// Only one of the labels in `a`, and in order: those for which `chosen` holds.
template <typename Predicate>
Labels select(const Labels& a, Predicate chosen) {
  Labels result;
  for (int label : a) {
    if (chosen(label) && !contains(result, label)) {
      result.push_back(label);
    }
  }
  return result;
}

Labels joined(std::initializer_list<Labels> parts) {
  Labels result;
  for (const Labels& part : parts) {
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

Shape extents_of(const Labels& labels, const Extents& extents) {
  Shape shape;
  std::transform(labels.begin(), labels.end(), std::back_inserter(shape),
                 [&](int label) { return extents.at(label); });
  return shape;
}

/// A tensor whose axes have labels; a label that comes twice is a diagonal.
struct Operand {
  Tensor tensor;
  Labels labels;

  /// The largest extent of each label joins `extents`; false where others than 1 differ.
  [[nodiscard]] bool join(Extents& extents) const {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::int64_t extent = tensor.shape()[i];
      std::int64_t& known = extents.emplace(labels[i], 1).first->second;
      if (known != extent && known != 1 && extent != 1) {
        return false;
      }
      known = known == 1 ? extent : known;
    }
    return true;
  }
};

/// Steps through an operand's elements per label.
std::vector<std::int64_t> strides_of(const Operand& operand, const Labels& labels) {
  std::vector<std::int64_t> strides(labels.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = operand.labels.size(); i-- > 0;) {
    std::int64_t extent = operand.tensor.shape()[i];
    for (std::size_t k = 0; k < labels.size() && extent != 1; ++k) {
      strides[k] += labels[k] == operand.labels[i] ? stride : 0;
    }
    stride *= extent;
  }
  return strides;
}

/// Axes to walk, and the step of an operand along each.
struct Walk {
  Shape extents;
  std::vector<std::int64_t> strides;

  [[nodiscard]] std::int64_t offset(const Shape& position) const {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < position.size(); ++i) {
      offset += position[i] * strides[i];
    }
    return offset;
  }
};

/// out[outer] = sum of in[outer, inner] over `inner`
template <typename T>
void sum_inner(const Tensor& in, const Walk& outer, const Walk& inner, Tensor& out) {
  const T* from = in.data<T>().data();
  T* to = out.data<T>().data();
  Positions at(outer.extents);
  do {
    std::int64_t first = outer.offset(*at);
    T sum{};
    Positions step(inner.extents);
    do {
      sum = Plus<T>()(sum, from[first + inner.offset(*step)]);
    } while (step.next());
    *to++ = sum;
  } while (at.next());
}

/// c[batch, rows, columns] = a[batch, rows, depth] b[batch, depth, columns]; no extent of c is 0.
template <typename T>
void multiply(const Tensor& a, const Tensor& b, std::int64_t batch, std::int64_t rows, Tensor& c) {
  std::int64_t depth = a.size() / (batch * rows);
  std::int64_t columns = c.size() / (batch * rows);
  const T* left = a.data<T>().data();
  T* out = c.data<T>().data();
  for (std::int64_t i = 0; i < batch * rows; ++i, out += columns) {
    const T* right = b.data<T>().data() + i / rows * depth * columns;
    for (std::int64_t k = 0; k < depth; ++k, right += columns) {
      T factor = *left++;
      for (std::int64_t j = 0; j < columns; ++j) {
        out[j] = Plus<T>()(out[j], Times<T>()(factor, right[j]));
      }
    }
  }
}

/// Calls function(T{}) with the type in which elements are computed: integers all as int64.
template <typename Function>
void visit_computed(ElementType type, Function&& function) {
  if (type == ElementType::kFloat32) {
    function(float{});
  } else if (type == ElementType::kFloat64) {
    function(double{});
  } else {
    function(std::int64_t{});
  }
}

/// The contractions of one call.
class Contraction {
 public:
  Contraction(const OperatorCall& call, ElementType type) : call_(call), type_(type) {}

  /// The operand with exactly the axes of `wanted`, in that order, spread out to `extents`; its other labels
  /// are summed over.
  [[nodiscard]] Result<Operand> arrange(const Operand& operand, const Labels& wanted,
                                        const Extents& extents) const {
    if (operand.labels == wanted && operand.tensor.shape() == extents_of(wanted, extents)) {
      return operand;
    }
    Labels summed = select(operand.labels, [&](int label) { return !contains(wanted, label); });
    Extents own;
    (void)operand.join(own);
    Walk outer{extents_of(wanted, extents), strides_of(operand, wanted)};
    Walk inner{extents_of(summed, own), strides_of(operand, summed)};
    ZP_ASSIGN_OR_RETURN(Tensor result, call_.make_output(type_, outer.extents));
    if (result.size() > 0 && operand.tensor.size() > 0) {
      visit_computed(
          type_, [&](auto element) { sum_inner<decltype(element)>(operand.tensor, outer, inner, result); });
    }
    return Operand{std::move(result), wanted};
  }

  /// The product of two operands, summed over labels that are not in `kept`.
  [[nodiscard]] Result<Operand> contract(const Operand& a, const Operand& b, const Labels& kept) const {
    Extents extents;
    if (!a.join(extents) || !b.join(extents)) {
      return Status::invalid_argument("inputs ", a.tensor.shape(), " and ", b.tensor.shape(),
                                      " do not fit equation '", call_.string_attribute("equation"), "'");
    }
    auto in_both = [&](int label) { return contains(a.labels, label) && contains(b.labels, label); };
    Labels batch = select(a.labels, [&](int label) { return in_both(label) && contains(kept, label); });
    Labels sums = select(a.labels, [&](int label) { return in_both(label) && !contains(kept, label); });
    Labels rows = select(a.labels, [&](int label) { return !in_both(label) && contains(kept, label); });
    Labels columns = select(b.labels, [&](int label) { return !in_both(label) && contains(kept, label); });
    ZP_ASSIGN_OR_RETURN(Operand left, arrange(a, joined({batch, rows, sums}), extents));
    ZP_ASSIGN_OR_RETURN(Operand right, arrange(b, joined({batch, sums, columns}), extents));
    Operand result;
    result.labels = joined({batch, rows, columns});
    ZP_ASSIGN_OR_RETURN(result.tensor, call_.make_output(type_, extents_of(result.labels, extents)));
    if (result.tensor.size() > 0) {
      std::int64_t batches = product(extents_of(batch, extents));
      std::int64_t row_count = product(extents_of(rows, extents));
      visit_computed(type_, [&](auto element) {
        multiply<decltype(element)>(left.tensor, right.tensor, batches, row_count, result.tensor);
      });
    }
    return result;
  }

 private:
  const OperatorCall& call_;
  ElementType type_;
};

}  // namespace

Result<std::vector<Tensor>> einsum(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(ElementType type, common_type(call));
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    ranks.push_back(call.input(i).shape().size());
  }
  ZP_ASSIGN_OR_RETURN(EinsumEquation equation,
                      EinsumEquation::parse(call.string_attribute("equation"), ranks));
  if (type == ElementType::kBool) {
    return Status::unsupported("it is not computed on bool");
  }
  ElementType computed = is_integer(type) ? ElementType::kInt64 : type;
  Contraction contraction(call, computed);
  Operand result{convert(call.input(0), computed), equation.inputs[0]};
  for (std::size_t i = 1; i < equation.inputs.size(); ++i) {
    // What a later operand or the output will ask for.
    Labels kept = equation.output;
    for (std::size_t k = i + 1; k < equation.inputs.size(); ++k) {
      kept = joined({kept, equation.inputs[k]});
    }
    Operand next{convert(call.input(i), computed), equation.inputs[i]};
    ZP_ASSIGN_OR_RETURN(result, contraction.contract(result, next, kept));
  }
  Extents extents;
  if (!result.join(extents)) {
    return Status::invalid_argument("input ", call.input(0).shape(), " does not fit its equation");
  }
  ZP_ASSIGN_OR_RETURN(result, contraction.arrange(result, equation.output, extents));
  return one(convert(result.tensor, type));
}

}  // namespace zeropoint::operators
