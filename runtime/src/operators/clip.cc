// ONNX Clip and Relu.

#include <limits>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> clip(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  return visit_number(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    T bounds[2] = {std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()};
    for (std::size_t i : {1U, 2U}) {
      if (!call.has(i)) {
        continue;
      }
      if (call.input(i).type() != x.type() || call.input(i).size() != 1) {
        return Status::invalid_argument("its bounds must be scalars of its input's type");
      }
      bounds[i - 1] = call.input(i).data<T>()[0];
    }
    bool open = !call.has(1) && std::numeric_limits<T>::has_infinity;
    bool bounded = call.has(2);
    // Where the bounds cross, the upper one wins; a NaN stays.
    return map_elements(call, x.type(), unary_row<T, T>([=, low = bounds[0], high = bounds[1]](T value) {
                          T raised = open ? value : (value < low ? low : value);
                          return bounded && raised > high ? high : raised;
                        }));
  });
}

Result<std::vector<Tensor>> relu(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  return visit_number(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    return map_elements(call, x.type(), unary_row<T, T>([](T value) { return value < T{} ? T{} : value; }));
  });
}

}  // namespace zeropoint::operators
