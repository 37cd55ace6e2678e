// ONNX Conv: y[n, m, o] = b[m] + sum over c, k of x[n, c, o * stride - pad + k * dilation] * w[m, c, k], in
// groups, over any number of spatial axes.

#include "operators/convolution.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> conv(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& w = call.input(1);
  ZP_ASSIGN_OR_RETURN(Convolution convolution, Convolution::of(call, x.shape(), w.shape()));
  if (call.has(2) && call.input(2).shape() != Shape{w.dim(0)}) {
    return Status::invalid_argument("bias " + to_string(call.input(2).shape()) + " does not fit weights " +
                                    to_string(w.shape()));
  }
  if (w.type() != x.type() || (call.has(2) && call.input(2).type() != x.type())) {
    return Status::invalid_argument("its inputs must be of one type");
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), convolution.shape));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    const T* bias = call.has(2) ? call.input(2).data<T>().data() : nullptr;
    T* out = y.data<T>().data();
    if (y.size() != 0) {
      convolution.for_each<T>(
          x.data<T>().data(), w.data<T>().data(),
          [&](std::int64_t m) { return bias == nullptr ? T{} : bias[m]; },
          [&](std::int64_t i, std::int64_t /*m*/, T sum) { out[i] = sum; });
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
