// ONNX Expand and Tile: the elements of a tensor repeated along its axes.

#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> expand(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(Shape shape, call.ints_input(1));
  if (shape.size() < x.shape().size()) {
    shape.insert(shape.begin(), x.shape().size() - shape.size(), 1);
  }
  std::size_t added = shape.size() - x.shape().size();
  for (std::size_t i = 0; i < x.shape().size(); ++i) {
    std::int64_t own = x.shape()[i];
    std::int64_t& extent = shape[added + i];
    if (extent != own && extent != 1 && own != 1) {
      return Status::invalid_argument("input ", x.shape(), " cannot be broadcast to ", shape);
    }
    extent = extent == 1 ? own : extent;
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  std::vector<std::int64_t> strides = strides_of(x.shape());
  SourceOffsets offsets;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    bool repeats = i < added || x.shape()[i - added] == 1;
    offsets.push_back(evenly(shape[i], repeats ? 0 : strides[i - added]));
  }
  move_elements(x, offsets, nullptr, y);
  return one(std::move(y));
}

Result<std::vector<Tensor>> tile(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> repeats, call.ints_input(1));
  Shape shape = x.shape();
  bool fits = repeats.size() == shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    fits = repeats[i] >= 0 && !__builtin_mul_overflow(shape[i], repeats[i], &shape[i]);
  }
  if (!fits) {
    return Status::invalid_argument("input ", x.shape(), " cannot be repeated ", repeats, " times");
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  std::vector<std::int64_t> strides = strides_of(x.shape());
  SourceOffsets offsets;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    offsets.push_back(evenly(shape[i], strides[i]));
    for (std::size_t k = 0; k < offsets[i].size(); ++k) {
      offsets[i][k] = static_cast<std::int64_t>(k) % x.shape()[i] * strides[i];
    }
  }
  move_elements(x, offsets, nullptr, y);
  return one(std::move(y));
}

}  // namespace zeropoint::operators
