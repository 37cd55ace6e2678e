// ONNX ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare,
// ReduceLogSum, ReduceLogSumExp. Sums of reals are taken in double and rounded once; integers wrap around.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <type_traits>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"
#include "operators/wrapping.h"

namespace zeropoint::operators {
namespace {

/// Which axes go: where none are named all, or none if that is asked for.
Result<std::vector<bool>> reduced_axes(const OperatorCall& call) {
  const Shape& shape = call.input(0).shape();
  std::vector<bool> reduced(shape.size(), false);
  std::vector<std::int64_t> axes;
  if (call.has(1)) {
    ZP_ASSIGN_OR_RETURN(axes, call.ints_input(1));
  }
  if (axes.empty() && call.int_attribute("noop_with_empty_axes") == 0) {
    reduced.assign(shape.size(), true);
  }
  for (std::int64_t axis : axes) {
    ZP_ASSIGN_OR_RETURN(std::size_t i, axis_in(axis, shape));
    reduced[i] = true;
  }
  return reduced;
}

/// Neighbouring axes that are both kept or both reduced, as one.
struct Axis {
  std::int64_t extent;
  bool reduced;
  std::int64_t step;  // in accumulators; 0 where reduced
};

std::vector<Axis> merged_axes(const Shape& shape, const std::vector<bool>& reduced) {
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!axes.empty() && axes.back().reduced == reduced[i]) {
      axes.back().extent *= shape[i];
    } else {
      axes.push_back({shape[i], reduced[i], 0});
    }
  }
  std::int64_t step = 1;
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (!axes[i].reduced) {
      axes[i].step = step;
      step *= axes[i].extent;
    }
  }
  return axes;
}

template <typename W>
W magnitude(W value) {
  return value < W{} ? Times<W>()(value, static_cast<W>(-1)) : value;
}

/// How elements are combined: sum, product, largest, smallest.
enum class Fold : std::uint8_t { kSum, kProduct, kMax, kMin };

/// The work of one reduction over elements held as W.
template <typename W>
class Reduction {
 public:
  /// Changes consecutive elements before they are folded; the first of them goes to result `slot`, and so do
  /// the others where the innermost axis is reduced.
  using Change = std::function<void(std::span<W> elements, std::size_t slot, bool inner_reduced)>;

  /// `slots`: how many results there are.
  Reduction(const Tensor& x, const std::vector<bool>& reduced, std::int64_t slots) : x_(x), slots_(slots) {
    if (x.size() > 0) {
      axes_ = merged_axes(x.shape(), reduced);
    }
  }

  std::vector<W> fold(Fold how, W start, const Change& change = nullptr) const {
    std::vector<W> slots(static_cast<std::size_t>(slots_), start);
    if (x_.size() == 0) {
      return slots;
    }
    bool inner_reduced = !axes_.empty() && axes_.back().reduced;
    std::int64_t row = axes_.empty() ? 1 : axes_.back().extent;
    for_each_block(row, [&](std::span<W> block, std::size_t slot) {
      if (change) {
        change(block, slot, inner_reduced);
      }
      W* into = slots.data() + slot;
      switch (how) {
        case Fold::kSum:
          return fold_block<Fold::kSum>(block, into, inner_reduced);
        case Fold::kProduct:
          return fold_block<Fold::kProduct>(block, into, inner_reduced);
        case Fold::kMax:
          return fold_block<Fold::kMax>(block, into, inner_reduced);
        case Fold::kMin:
          return fold_block<Fold::kMin>(block, into, inner_reduced);
      }
    });
    return slots;
  }

 private:
  template <Fold kFold>
  static W combine(W a, W b) {
    if constexpr (kFold == Fold::kSum) {
      return Plus<W>()(a, b);
    } else if constexpr (kFold == Fold::kProduct) {
      return Times<W>()(a, b);
    } else if constexpr (kFold == Fold::kMax) {
      return a > b || a != a ? a : b;  // a NaN wins
    } else {
      return a < b || a != a ? a : b;
    }
  }

  /// All of the block into one result, or each element into its own.
  template <Fold kFold>
  static void fold_block(std::span<const W> block, W* into, bool inner_reduced) {
    if (inner_reduced) {
      *into = fold_row<kFold>(block, *into);
      return;
    }
    for (std::size_t i = 0; i < block.size(); ++i) {
      into[i] = combine<kFold>(into[i], block[i]);
    }
  }

  /// Several partial results side by side, in a fixed order.
  template <Fold kFold>
  static W fold_row(std::span<const W> row, W start) {
    constexpr std::size_t kParts = 4;
    std::size_t i = 0;
    W result = start;
    if (row.size() >= kParts) {
      W parts[kParts];
      for (; i < kParts; ++i) {
        parts[i] = row[i];
      }
      for (; i + kParts <= row.size(); i += kParts) {
        for (std::size_t k = 0; k < kParts; ++k) {
          parts[k] = combine<kFold>(parts[k], row[i + k]);
        }
      }
      for (W part : parts) {
        result = combine<kFold>(result, part);
      }
    }
    for (; i < row.size(); ++i) {
      result = combine<kFold>(result, row[i]);
    }
    return result;
  }

  /// Calls function(elements, first slot) for pieces of rows of the innermost axis, in order.
  template <typename Function>
  void for_each_block(std::int64_t row, Function function) const {
    constexpr std::int64_t kBlock = 512;
    W block[kBlock];
    std::vector<std::int64_t> position(axes_.empty() ? 0 : axes_.size() - 1, 0);
    std::int64_t inner_step = axes_.empty() ? 0 : axes_.back().step;
    std::int64_t slot = 0;
    for (std::int64_t first = 0; first < x_.size(); first += row) {
      for (std::int64_t i = 0; i < row; i += kBlock) {
        std::int64_t count = std::min(kBlock, row - i);
        load_wide(x_, first + i, count, block);
        function(std::span<W>(block, static_cast<std::size_t>(count)),
                 static_cast<std::size_t>(slot + i * inner_step));
      }
      for (std::size_t axis = position.size(); axis-- > 0;) {
        slot += axes_[axis].step;
        if (++position[axis] < axes_[axis].extent) {
          break;
        }
        slot -= axes_[axis].step * axes_[axis].extent;
        position[axis] = 0;
      }
    }
  }

  const Tensor& x_;
  std::vector<Axis> axes_;
  std::int64_t slots_;
};

/// log(sum(exp(x))), with the largest element taken out so that nothing overflows.
std::vector<double> log_sum_exp(const Reduction<double>& reduction) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> largest = reduction.fold(Fold::kMax, -kInfinity);
  // Where the largest is infinite there is nothing to take out.
  auto shift = [&](std::size_t slot) { return std::isinf(largest[slot]) ? 0 : largest[slot]; };
  std::vector<double> sums =
      reduction.fold(Fold::kSum, 0, [&](std::span<double> elements, std::size_t slot, bool inner_reduced) {
        for (std::size_t i = 0; i < elements.size(); ++i) {
          elements[i] = std::exp(elements[i] - shift(inner_reduced ? slot : slot + i));
        }
      });
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] = std::log(sums[i]) + shift(i);
  }
  return sums;
}

/// The lowest or largest value of an element type, from which a Max or Min starts.
template <typename W>
W extreme(ElementType type, bool lowest) {
  if constexpr (std::is_floating_point_v<W>) {
    return lowest ? -std::numeric_limits<W>::infinity() : std::numeric_limits<W>::infinity();
  } else {
    W result = lowest ? 0 : 1;  // of bool
    visit_integer(type, [&](auto element) {
      using Limits = std::numeric_limits<decltype(element)>;
      result = static_cast<W>(lowest ? Limits::lowest() : Limits::max());
    });
    return result;
  }
}

template <typename W>
std::vector<W> reduced_values(Op op, ElementType type, const Reduction<W>& reduction) {
  using Change = typename Reduction<W>::Change;
  Change change;
  switch (op) {
    case Op::kReduceMax:
      return reduction.fold(Fold::kMax, extreme<W>(type, true));
    case Op::kReduceMin:
      return reduction.fold(Fold::kMin, extreme<W>(type, false));
    case Op::kReduceProd:
      return reduction.fold(Fold::kProduct, W{1});
    case Op::kReduceL1:
      change = [](std::span<W> elements, std::size_t /*slot*/, bool /*inner_reduced*/) {
        std::transform(elements.begin(), elements.end(), elements.begin(), magnitude<W>);
      };
      break;
    case Op::kReduceL2:
    case Op::kReduceSumSquare:
      change = [](std::span<W> elements, std::size_t /*slot*/, bool /*inner_reduced*/) {
        std::transform(elements.begin(), elements.end(), elements.begin(), elements.begin(), Times<W>());
      };
      break;
    case Op::kReduceLogSumExp:
      if constexpr (std::is_same_v<W, double>) {
        return log_sum_exp(reduction);
      }
      break;  // integers come here as reals
    default:
      break;
  }
  return reduction.fold(Fold::kSum, W{}, change);
}

/// What follows the sum of `count` elements.
template <typename W>
void finish(Op op, W count, std::vector<W>& values) {
  auto map = [&](auto function) { std::transform(values.begin(), values.end(), values.begin(), function); };
  if (op == Op::kReduceMean && (count != W{} || std::is_floating_point_v<W>)) {
    map([&](W value) { return static_cast<W>(value / count); });
  }
  if constexpr (std::is_same_v<W, double>) {
    if (op == Op::kReduceL2) {
      map([](double value) { return std::sqrt(value); });
    } else if (op == Op::kReduceLogSum) {
      map([](double value) { return std::log(value); });
    }
  }
}

/// Whether elements become others before or after they are combined.
bool changes_elements(Op op) {
  return op == Op::kReduceL1 || op == Op::kReduceL2 || op == Op::kReduceSumSquare || op == Op::kReduceLogSum;
}

/// Whether integers are reduced as reals.
bool has_real_results(Op op) {
  return op == Op::kReduceL2 || op == Op::kReduceLogSum || op == Op::kReduceLogSumExp;
}

bool is_reducible(ElementType type, Op op) {
  bool orders = op == Op::kReduceMax || op == Op::kReduceMin;
  return type == ElementType::kBool ? orders : type != ElementType::kInt4 && type != ElementType::kUint4;
}

}  // namespace

Result<std::vector<Tensor>> reduce(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  if (!is_reducible(x.type(), call.op())) {
    return Status::unsupported("it is not computed on ", name_of(x.type()));
  }
  ZP_ASSIGN_OR_RETURN(std::vector<bool> axes, reduced_axes(call));
  if (std::ranges::find(axes, true) == axes.end() && !changes_elements(call.op())) {
    return one(x);
  }
  Shape shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!axes[i]) {
      shape.push_back(x.shape()[i]);
    } else if (call.int_attribute("keepdims") != 0) {
      shape.push_back(1);
    }
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  bool as_reals = is_integer(x.type()) && has_real_results(call.op());
  Tensor reals = as_reals ? convert(x, ElementType::kFloat64) : Tensor();
  const Tensor& elements = as_reals ? reals : x;
  visit_wide(elements.type(), [&](auto wide) {
    using W = decltype(wide);
    std::vector<W> values = reduced_values(call.op(), x.type(), Reduction<W>(elements, axes, y.size()));
    finish(call.op(), static_cast<W>(x.size() / y.size()), values);
    store_wide(values.data(), y.size(), y, 0);
  });
  return one(std::move(y));
}

}  // namespace zeropoint::operators
