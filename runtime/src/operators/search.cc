// ONNX ArgMax, ArgMin and TopK: where the largest or smallest elements along an axis are. A NaN counts as
// larger than any number.

#include <algorithm>
#include <numeric>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {
namespace {

template <typename W>
bool less(W a, W b) {
  return a < b || (a == a && b != b);
}

/// All elements as W.
template <typename W>
std::vector<W> wide_elements(const Tensor& tensor) {
  std::vector<W> elements(static_cast<std::size_t>(tensor.size()));
  load_wide(tensor, 0, tensor.size(), elements.data());
  return elements;
}

Status check_type(ElementType type) {
  bool fits = type != ElementType::kBool;
  return fits ? Status() : Status::unsupported("it is not computed on bool");
}

}  // namespace

Result<std::vector<Tensor>> arg_extreme(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_RETURN_IF_ERROR(check_type(x.type()));
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
  Shape shape = x.shape();
  shape[axis] = 1;
  if (call.int_attribute("keepdims") == 0) {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(ElementType::kInt64, std::move(shape)));
  if (y.size() > 0 && along.extent == 0) {
    return Status::invalid_argument("there is nothing along the axis of input ", x.shape());
  }
  bool largest = call.op() == Op::kArgMax;
  bool last = call.int_attribute("select_last_index") != 0;
  visit_wide(x.type(), [&](auto wide) {
    std::vector<decltype(wide)> elements = wide_elements<decltype(wide)>(x);
    std::span<std::int64_t> best = y.data<std::int64_t>();
    for (std::int64_t slot = 0; slot < y.size(); ++slot) {
      const auto* lane =
          elements.data() + slot / along.inner * along.extent * along.inner + slot % along.inner;
      std::int64_t found = 0;
      for (std::int64_t i = 1; i < along.extent; ++i) {
        auto candidate = lane[i * along.inner];
        auto holder = lane[found * along.inner];
        bool beats = largest ? less(holder, candidate) : less(candidate, holder);
        bool ties = !less(holder, candidate) && !less(candidate, holder);
        found = beats || (last && ties) ? i : found;
      }
      best[static_cast<std::size_t>(slot)] = found;
    }
  });
  return one(std::move(y));
}

Result<std::vector<Tensor>> top_k(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_RETURN_IF_ERROR(check_type(x.type()));
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> ks, call.ints_input(1));
  if (ks.size() != 1 || ks[0] < 0 || ks[0] > along.extent) {
    return Status::invalid_argument("k must be one number of 0 to ", along.extent);
  }
  std::int64_t k = ks[0];
  Shape shape = x.shape();
  shape[axis] = k;
  ZP_ASSIGN_OR_RETURN(Tensor values, call.make_output(x.type(), shape));
  ZP_ASSIGN_OR_RETURN(Tensor indices, call.make_output(ElementType::kInt64, shape));
  bool largest = call.int_attribute("largest") != 0;
  std::int64_t lanes = values.size() == 0 ? 0 : along.outer * along.inner;
  visit_wide(x.type(), [&](auto wide) {
    std::vector<decltype(wide)> elements = wide_elements<decltype(wide)>(x);
    std::vector<std::int64_t> order(static_cast<std::size_t>(along.extent));
    for (std::int64_t slot = 0; slot < lanes; ++slot) {
      std::int64_t outer = slot / along.inner;
      std::int64_t inner = slot % along.inner;
      const auto* lane = elements.data() + outer * along.extent * along.inner + inner;
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](std::int64_t a, std::int64_t b) {
        auto first = lane[(largest ? b : a) * along.inner];
        auto second = lane[(largest ? a : b) * along.inner];
        return less(first, second) || (!less(second, first) && a < b);
      });
      for (std::int64_t i = 0; i < k; ++i) {
        std::int64_t from = order[static_cast<std::size_t>(i)];
        std::int64_t to = (outer * k + i) * along.inner + inner;
        indices.data<std::int64_t>()[static_cast<std::size_t>(to)] = from;
        store_wide(&lane[from * along.inner], 1, values, to);
      }
    }
  });
  std::vector<Tensor> outputs = one(std::move(values));
  outputs.push_back(std::move(indices));
  return outputs;
}

}  // namespace zeropoint::operators
