// ONNX Identity and Flatten: the same elements, perhaps under another shape.

#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> identity(const OperatorCall& call) { return one(call.input(0)); }

Result<std::vector<Tensor>> flatten(const OperatorCall& call) {
  const Shape& shape = call.input(0).shape();
  auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t axis = call.int_attribute("axis");
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis > rank) {
    return Status::invalid_argument("axis ", call.int_attribute("axis"), " is outside of input ", shape);
  }
  ZP_ASSIGN_OR_RETURN(std::int64_t outer, element_count({shape.begin(), shape.begin() + axis}));
  ZP_ASSIGN_OR_RETURN(std::int64_t inner, element_count({shape.begin() + axis, shape.end()}));
  Tensor output = call.input(0);
  output.reshape({outer, inner});
  return one(std::move(output));
}

}  // namespace zeropoint::operators
