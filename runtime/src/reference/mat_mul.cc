#include <algorithm>

#include "operators/window_taps.h"
#include "reference/elements.h"
#include "reference/linear_layer.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

/// A stack of matrices [batch..., rows, columns]; a vector gets an axis that the product drops again.
struct Stack {
  Shape batch;
  std::int64_t rows;
  std::int64_t columns;

  Stack(Shape shape, bool is_left) {
    if (shape.size() == 1) {
      shape.insert(is_left ? shape.begin() : shape.end(), 1);
    }
    columns = shape.back();
    rows = shape[shape.size() - 2];
    batch.assign(shape.begin(), shape.end() - 2);
  }

  /// The matrix that stands at `at` of the broadcast batch.
  [[nodiscard]] std::int64_t offset(const Shape& at) const {
    std::int64_t index = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::int64_t position = batch[i] == 1 ? 0 : at[at.size() - batch.size() + i];
      index = index * batch[i] + position;
    }
    return index * rows * columns;
  }
};

Result<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (const Shape* shape : {&a, &b}) {
    for (std::size_t i = 0; i < shape->size(); ++i) {
      std::int64_t& extent = result[result.size() - shape->size() + i];
      std::int64_t other = (*shape)[i];
      if (extent != 1 && other != 1 && extent != other) {
        return Status::invalid_argument("the batches " + to_string(a) + " and " + to_string(b) +
                                        " do not fit each other");
      }
      extent = extent == 1 ? other : extent;
    }
  }
  return result;
}

}  // namespace

Result<Tensor> run(const MatMulOp& op, const Tensor& a, const Tensor& b, ElementType type) {
  if (a.rank() < 1 || b.rank() < 1) {
    return Status::invalid_argument("a scalar is no matrix");
  }
  Stack left(a.shape(), true);
  Stack right(b.shape(), false);
  if (left.columns != right.rows) {
    return Status::invalid_argument("matrices " + to_string(a.shape()) + " and " + to_string(b.shape()) +
                                    " do not fit each other");
  }
  ZP_ASSIGN_OR_RETURN(Shape batch, broadcast(left.batch, right.batch));
  Shape shape = batch;
  shape.insert(shape.end(), {left.rows, right.columns});
  ZP_RETURN_IF_ERROR(make_tensor(ElementType::kInt64, shape).status());
  std::vector<std::int64_t> sums(static_cast<std::size_t>(operators::product(shape)));
  std::vector<std::int32_t> x = steps_of(a, op.a_zero_point);
  std::vector<std::int32_t> y = steps_of(b, op.b_zero_point);
  operators::Positions at(batch);
  std::int64_t* out = sums.data();
  for (std::int64_t i = 0; i < (sums.empty() ? 0 : operators::product(batch)); ++i, at.next()) {
    const std::int32_t* row = x.data() + left.offset(*at);
    for (std::int64_t m = 0; m < left.rows; ++m, row += left.columns, out += right.columns) {
      const std::int32_t* other = y.data() + right.offset(*at);
      for (std::int64_t k = 0; k < left.columns; ++k, other += right.columns) {
        for (std::int64_t n = 0; n < right.columns; ++n) {
          out[n] += std::int64_t{row[k]} * other[n];
        }
      }
    }
  }
  if (b.rank() == 1) {
    shape.pop_back();
  }
  if (a.rank() == 1) {
    shape.erase(shape.end() - (b.rank() == 1 ? 1 : 2));
  }
  return finished(op.requantization, sums, std::move(shape), 1, type);
}

}  // namespace zeropoint::reference
