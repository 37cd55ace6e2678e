// ONNX MatMul. Integers wrap around.

#include "operators/matmul_geometry.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wrapping.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> matmul(const OperatorCall& call) {
  const Tensor& a = call.input(0);
  const Tensor& b = call.input(1);
  ZP_RETURN_IF_ERROR(common_type(call).status());
  ZP_ASSIGN_OR_RETURN(MatMulGeometry geometry, MatMulGeometry::of(a.shape(), b.shape()));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(a.type(), geometry.shape));
  return visit_number(a.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    const T* rows = a.data<T>().data();
    const T* columns = b.data<T>().data();
    T* out = y.data<T>().data();
    geometry.for_each([&](std::int64_t i, std::int64_t row, std::int64_t column) {
      T sum{};
      for (std::int64_t k = 0; k < geometry.k; ++k) {
        sum = Plus<T>()(sum, Times<T>()(rows[row + k], columns[column + k * geometry.n]));
      }
      out[i] = sum;
    });
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
