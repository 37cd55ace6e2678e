#include "quantize/improve/matrix.h"

#include "float/network.h"

namespace zeropoint::toolchain {

void multiply(const Eigen::Ref<const MatrixF, 0, Eigen::OuterStride<>>& a, Transposed a_is,
              const Eigen::Ref<const MatrixF, 0, Eigen::OuterStride<>>& b,
              Eigen::Ref<MatrixF, 0, Eigen::OuterStride<>> result) {
  constexpr Eigen::Index kWorthACall = 16 * 16 * 16;
  if (result.size() * b.rows() < kWorthACall) {
    if (a_is == Transposed::kYes) {
      result.noalias() = a.transpose().lazyProduct(b);
    } else {
      result.noalias() = a.lazyProduct(b);
    }
    return;
  }
  ThreadScope alone(1);
  dnnl::sgemm(a_is == Transposed::kYes ? 'T' : 'N', 'N', result.rows(), result.cols(), b.rows(), 1.0F,
              a.data(), a.outerStride(), b.data(), b.outerStride(), 0.0F, result.data(),
              result.outerStride());
}

}  // namespace zeropoint::toolchain
