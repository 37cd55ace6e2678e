#include "operators/matmul_geometry.h"

#include <algorithm>

#include "operators/axes.h"
#include "operators/move_elements.h"
#include "operators/window_taps.h"

namespace zeropoint::operators {
namespace {

/// Offsets of the matrices of `batch`, broadcast to `all`.
std::vector<std::int64_t> matrix_offsets(const Shape& batch, const Shape& all, std::int64_t matrix) {
  std::vector<std::int64_t> strides = strides_of(batch);
  std::vector<std::int64_t> offsets;
  Positions at(all);
  do {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      offset += batch[i] == 1 ? 0 : (*at)[all.size() - batch.size() + i] * strides[i];
    }
    offsets.push_back(offset * matrix);
  } while (at.next());
  return offsets;
}

}  // namespace

Result<MatMulGeometry> MatMulGeometry::of(const Shape& a, const Shape& b) {
  Status refusal =
      Status::invalid_argument("matrices " + to_string(a) + " and " + to_string(b) + " cannot be multiplied");
  if (a.empty() || b.empty()) {
    return refusal;
  }
  MatMulGeometry result{
      a.size() == 1 ? 1 : a[a.size() - 2], a.back(), b.size() == 1 ? 1 : b.back(), {}, {}, {}};
  if (result.k != (b.size() == 1 ? b[0] : b[b.size() - 2])) {
    return refusal;
  }
  Shape a_batch(a.begin(), a.end() - std::min<std::ptrdiff_t>(2, std::ssize(a)));
  Shape b_batch(b.begin(), b.end() - std::min<std::ptrdiff_t>(2, std::ssize(b)));
  Result<Shape> batch = broadcast_shapes(a_batch, b_batch);
  if (!batch.ok()) {
    return refusal;
  }
  result.shape = *batch;
  if (a.size() > 1) {
    result.shape.push_back(result.m);
  }
  if (b.size() > 1) {
    result.shape.push_back(result.n);
  }
  ZP_ASSIGN_OR_RETURN(std::int64_t count, element_count(result.shape));
  if (count > 0) {
    result.a_offsets = matrix_offsets(a_batch, *batch, result.m * result.k);
    result.b_offsets = matrix_offsets(b_batch, *batch, result.k * result.n);
  }
  return result;
}

}  // namespace zeropoint::operators
