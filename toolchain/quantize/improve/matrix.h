#pragma once

#include <Eigen/Core>

namespace zeropoint::toolchain {

/// Row-major, as tensors are.
using MatrixF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixD = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

enum class Transposed : bool { kNo, kYes };

/// result = a b, or a' b: oneDNN's sgemm by the calling thread alone, so that equal shapes give equal bits.
/// `result` has its shape already.
void multiply(const Eigen::Ref<const MatrixF, 0, Eigen::OuterStride<>>& a, Transposed a_is,
              const Eigen::Ref<const MatrixF, 0, Eigen::OuterStride<>>& b,
              Eigen::Ref<MatrixF, 0, Eigen::OuterStride<>> result);

}  // namespace zeropoint::toolchain
