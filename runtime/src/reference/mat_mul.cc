#include "operators/matmul_geometry.h"
#include "operators/window_taps.h"
#include "reference/elements.h"
#include "reference/linear_layer.h"
#include "reference/operations.h"

namespace zeropoint::reference {

Result<Tensor> run(const MatMulOp& op, const Tensor& a, const Tensor& b, ElementType type) {
  ZP_ASSIGN_OR_RETURN(operators::MatMulGeometry geometry,
                      operators::MatMulGeometry::of(a.shape(), b.shape()));
  ZP_RETURN_IF_ERROR(make_tensor(ElementType::kInt64, geometry.shape).status());
  std::vector<std::int64_t> sums(static_cast<std::size_t>(operators::product(geometry.shape)));
  std::vector<std::int32_t> x = steps_of(a, op.a_zero_point);
  std::vector<std::int32_t> y = steps_of(b, op.b_zero_point);
  std::int64_t* out = sums.data();
  if (!sums.empty()) {
    geometry.for_each_matrix([&](std::int64_t a_offset, std::int64_t b_offset) {
      const std::int32_t* row = x.data() + a_offset;
      for (std::int64_t i = 0; i < geometry.m; ++i, row += geometry.k, out += geometry.n) {
        const std::int32_t* other = y.data() + b_offset;
        for (std::int64_t k = 0; k < geometry.k; ++k, other += geometry.n) {
          for (std::int64_t j = 0; j < geometry.n; ++j) {
            out[j] += std::int64_t{row[k]} * other[j];
          }
        }
      }
    });
  }
  return finished(op.requantization, sums, geometry.shape, 1, type);
}

}  // namespace zeropoint::reference
