// ONNX MatMul. Integers wrap around.

#include "operators/fused_sum.h"
#include "operators/matmul_geometry.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> matmul(const OperatorCall& call) {
  const Tensor& a = call.input(0);
  const Tensor& b = call.input(1);
  ZP_RETURN_IF_ERROR(common_type(call).status());
  ZP_ASSIGN_OR_RETURN(MatMulGeometry geometry, MatMulGeometry::of(a.shape(), b.shape()));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(a.type(), geometry.shape));
  return visit_products(a.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    const T* left = elements_as<T>(a).data();
    T* out = elements_as<T>(y).data();
    if (y.size() == 0) {
      return one(std::move(y));
    }
    // Row by row of b, so that memory is read in order; each sum still meets its terms in theirs.
    geometry.for_each_matrix([&](std::int64_t a_offset, std::int64_t b_offset) {
      for (std::int64_t i = 0; i < geometry.m; ++i, out += geometry.n) {
        const T* right = elements_as<T>(b).data() + b_offset;
        for (std::int64_t k = 0; k < geometry.k; ++k, right += geometry.n) {
          T factor = left[a_offset + i * geometry.k + k];
          for (std::int64_t j = 0; j < geometry.n; ++j) {
            out[j] = add_product(out[j], factor, right[j]);
          }
        }
      }
    });
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
