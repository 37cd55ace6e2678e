// ONNX CumSum: y[i] = x[0] + ... + x[i] along an axis.

#include <type_traits>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> cum_sum(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> axes, call.ints_input(1));
  if (axes.size() != 1) {
    return Status::invalid_argument("its axis must be one number");
  }
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), axes[0]));
  bool exclusive = call.int_attribute("exclusive") != 0;
  bool reverse = call.int_attribute("reverse") != 0;
  return visit_number(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    const T* in = x.data<T>().data();
    T* out = y.data<T>().data();
    for (std::int64_t i = 0; i < x.size(); ++i) {
      // The rows of an outer position, each of `inner` elements, in the order of summation.
      std::int64_t row = i / along.inner % along.extent;
      std::int64_t slab = i / along.inner / along.extent * along.extent;
      std::int64_t at = (slab + (reverse ? along.extent - 1 - row : row)) * along.inner + i % along.inner;
      std::int64_t before = reverse ? at + along.inner : at - along.inner;
      T sum = row == 0 ? T{} : out[before];
      T added = exclusive ? (row == 0 ? T{} : in[before]) : in[at];
      if constexpr (std::is_integral_v<T>) {
        out[at] = static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(added));
      } else {
        out[at] = sum + added;
      }
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
