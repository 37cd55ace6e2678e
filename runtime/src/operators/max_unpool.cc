// ONNX MaxUnpool: the elements of x back where MaxPool found them, zeros elsewhere.

#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "zeropoint/window.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> max_unpool(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& indices = call.input(1);
  if (indices.type() != ElementType::kInt64 || indices.shape() != x.shape()) {
    return Status::invalid_argument("indices ", indices.shape(), " do not fit input ", x.shape());
  }
  // The indices count in the tensor that was pooled, whose elements keep their positions in a larger one.
  ZP_ASSIGN_OR_RETURN(Shape pooled, unpool_shape(call.attributes(), x.shape()));
  ZP_ASSIGN_OR_RETURN(std::int64_t count, element_count(pooled));
  Shape shape = pooled;
  if (call.has(2)) {
    ZP_ASSIGN_OR_RETURN(shape, call.ints_input(2));
  }
  bool fits = shape.size() == pooled.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    fits = shape[i] >= pooled[i];
  }
  if (!fits) {
    return Status::invalid_argument("output_shape ", shape, " does not hold ", pooled);
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  std::vector<std::int64_t> strides = strides_of(shape);
  std::vector<std::size_t> places;
  for (std::int64_t index : indices.data<std::int64_t>()) {
    if (index < 0 || index >= count) {
      return Status::invalid_argument("index ", index, " is outside of ", pooled);
    }
    std::int64_t place = 0;
    for (std::size_t axis = pooled.size(); axis-- > 0; index /= pooled[axis]) {
      place += index % pooled[axis] * strides[axis];
    }
    places.push_back(static_cast<std::size_t>(place));
  }
  ZP_RETURN_IF_ERROR(visit_width(x.type(), [&](auto element) {
    using T = decltype(element);
    for (std::size_t i = 0; i < places.size(); ++i) {
      elements_as<T>(y)[places[i]] = elements_as<T>(x)[i];
    }
    return Status();
  }));
  return one(std::move(y));
}

}  // namespace zeropoint::operators
