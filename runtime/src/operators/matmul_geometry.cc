#include "operators/matmul_geometry.h"

#include <algorithm>

#include "operators/axes.h"
#include "operators/move_elements.h"

namespace zeropoint::operators {
namespace {

/// Elements between the matrices of `own` along the axes of `batch`, to which it is broadcast.
std::vector<std::int64_t> matrix_strides(const Shape& own, std::int64_t matrix, const Shape& batch) {
  std::size_t added = batch.size() - own.size();
  std::vector<std::int64_t> strides = strides_of(own);
  std::vector<std::int64_t> result(batch.size(), 0);
  for (std::size_t i = 0; i < own.size(); ++i) {
    result[added + i] = own[i] == 1 ? 0 : strides[i] * matrix;
  }
  return result;
}

}  // namespace

Result<MatMulGeometry> MatMulGeometry::of(const Shape& a, const Shape& b) {
  Status refusal = Status::invalid_argument("matrices ", a, " and ", b, " cannot be multiplied");
  if (a.empty() || b.empty()) {
    return refusal;
  }
  MatMulGeometry result{
      a.size() == 1 ? 1 : a[a.size() - 2], a.back(), b.size() == 1 ? 1 : b.back(), {}, {}, {}, {}};
  if (result.k != (b.size() == 1 ? b[0] : b[b.size() - 2])) {
    return refusal;
  }
  Shape a_batch(a.begin(), a.end() - std::min<std::ptrdiff_t>(2, std::ssize(a)));
  Shape b_batch(b.begin(), b.end() - std::min<std::ptrdiff_t>(2, std::ssize(b)));
  Result<Shape> batch = broadcast_shapes(a_batch, b_batch);
  if (!batch.ok()) {
    return refusal;
  }
  result.batch = *batch;
  result.shape = *batch;
  if (a.size() > 1) {
    result.shape.push_back(result.m);
  }
  if (b.size() > 1) {
    result.shape.push_back(result.n);
  }
  ZP_ASSIGN_OR_RETURN(std::int64_t count, element_count(result.shape));
  if (count > 0) {
    result.a_strides = matrix_strides(a_batch, result.m * result.k, *batch);
    result.b_strides = matrix_strides(b_batch, result.k * result.n, *batch);
  }
  return result;
}

}  // namespace zeropoint::operators
