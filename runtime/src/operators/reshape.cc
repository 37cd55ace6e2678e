// ONNX Reshape, Squeeze and Unsqueeze: the same elements under another shape.

#include <algorithm>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

std::vector<Tensor> reshaped(const Tensor& x, Shape shape) {
  Tensor y = x;
  y.reshape(std::move(shape));
  return one(std::move(y));
}

/// Marks each of `axes` among `rank`; kInvalidArgument for one outside, or twice.
Result<std::vector<bool>> marked(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<bool> marks(rank, false);
  for (std::int64_t axis : axes) {
    auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
    if (at >= rank || marks[at]) {
      return Status::invalid_argument("axes ", axes, " do not fit a tensor of ", rank, " axes");
    }
    marks[at] = true;
  }
  return marks;
}

}  // namespace

Result<std::vector<Tensor>> reshape(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(Shape shape, call.ints_input(1));
  Status refusal = Status::invalid_argument("input ", x.shape(), " cannot take the shape ", shape);
  bool copies_zeros = call.int_attribute("allowzero") == 0;
  std::int64_t known = 1;
  auto open = shape.end();
  for (auto extent = shape.begin(); extent != shape.end(); ++extent) {
    auto axis = static_cast<std::size_t>(extent - shape.begin());
    if (*extent == 0 && copies_zeros) {
      if (axis >= x.shape().size()) {
        return refusal;
      }
      *extent = x.shape()[axis];
    }
    if (*extent == -1 && open == shape.end()) {
      open = extent;
    } else if (*extent < 0 || __builtin_mul_overflow(known, *extent, &known)) {
      return refusal;
    }
  }
  if (open != shape.end()) {
    if (known == 0 || x.size() % known != 0) {
      return refusal;
    }
    *open = x.size() / known;
    known = x.size();
  }
  return known == x.size() ? Result<std::vector<Tensor>>(reshaped(x, std::move(shape))) : refusal;
}

Result<std::vector<Tensor>> squeeze(const OperatorCall& call) {
  const Shape& shape = call.input(0).shape();
  std::vector<bool> removed(shape.size());
  std::transform(shape.begin(), shape.end(), removed.begin(),
                 [](std::int64_t extent) { return extent == 1; });
  if (call.has(1)) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> axes, call.ints_input(1));
    ZP_ASSIGN_OR_RETURN(removed, marked(axes, shape.size()));
  }
  Shape kept;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!removed[i]) {
      kept.push_back(shape[i]);
    } else if (shape[i] != 1) {
      return Status::invalid_argument("axis ", i, " of input ", shape, " is not 1 and cannot be removed");
    }
  }
  return reshaped(call.input(0), std::move(kept));
}

Result<std::vector<Tensor>> unsqueeze(const OperatorCall& call) {
  const Shape& shape = call.input(0).shape();
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> axes, call.ints_input(1));
  ZP_ASSIGN_OR_RETURN(std::vector<bool> added, marked(axes, shape.size() + axes.size()));
  Shape result;
  auto next = shape.begin();
  for (bool is_new : added) {
    result.push_back(is_new ? 1 : *next++);
  }
  return reshaped(call.input(0), std::move(result));
}

}  // namespace zeropoint::operators
