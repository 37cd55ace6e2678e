// ONNX Clip and Relu.

#include <algorithm>
#include <limits>

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
    Tensor output(x.type(), x.shape());
    // Where the bounds cross, the upper one wins; a NaN stays.
    std::transform(x.data<T>().begin(), x.data<T>().end(), output.data<T>().begin(), [&](T value) {
      T raised = open ? value : (value < bounds[0] ? bounds[0] : value);
      return call.has(2) && raised > bounds[1] ? bounds[1] : raised;
    });
    return one(std::move(output));
  });
}

Result<std::vector<Tensor>> relu(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  return visit_number(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor output(x.type(), x.shape());
    std::transform(x.data<T>().begin(), x.data<T>().end(), output.data<T>().begin(),
                   [](T value) { return value < T{} ? T{} : value; });
    return one(std::move(output));
  });
}

}  // namespace zeropoint::operators
