// ONNX Gemm: y[N, M] = alpha A'[N, K] B'[K, M] + beta C, where A' and B' may be transposed and C is
// broadcast. Integers wrap around.

#include <cmath>
#include <limits>

#include "operators/fused_sum.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// A matrix that may be read transposed.
struct Matrix {
  std::int64_t rows, columns;
  std::int64_t row_step, column_step;

  static Matrix of(const Shape& shape, bool transposed) {
    return transposed ? Matrix{shape[1], shape[0], 1, shape[1]} : Matrix{shape[0], shape[1], shape[1], 1};
  }
};

/// C as a matrix whose extents of 1 repeat.
Result<Matrix> addend(const Shape& c, std::int64_t rows, std::int64_t columns) {
  std::int64_t c_columns = c.empty() ? 1 : c.back();
  std::int64_t c_rows = c.size() < 2 ? 1 : c[0];
  if (c.size() > 2 || (c_columns != 1 && c_columns != columns) || (c_rows != 1 && c_rows != rows)) {
    return Status::invalid_argument("bias ", c, " does not fit the product ", Shape{rows, columns});
  }
  return Matrix{rows, columns, c_rows == 1 ? 0 : c_columns, c_columns == 1 ? 0 : 1};
}

/// Attribute alpha or beta as an element; kUnsupported where integers would be multiplied by another number.
template <typename T>
Result<T> factor(const OperatorCall& call, std::string_view name) {
  float value = call.float_attribute(name);
  if constexpr (std::is_integral_v<T>) {
    constexpr float kMostExact = 16777216.0F;
    bool is_integer = std::abs(value) <= kMostExact && std::trunc(value) == value &&
                      value >= static_cast<float>(std::numeric_limits<T>::lowest()) &&
                      value <= static_cast<float>(std::numeric_limits<T>::max());
    if (!is_integer) {
      return Status::unsupported("attribute ", name, " is ", value,
                                 "; integers are multiplied by integers here");
    }
  }
  return static_cast<T>(value);
}

template <typename T>
Result<std::vector<Tensor>> gemm_of(const OperatorCall& call, const Matrix& a, const Matrix& b) {
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(call.input(0).type(), {a.rows, b.columns}));
  Matrix c{0, 0, 0, 0};
  const T* c_data = nullptr;
  if (call.has(2)) {
    ZP_ASSIGN_OR_RETURN(c, addend(call.input(2).shape(), a.rows, b.columns));
    c_data = elements_as<T>(call.input(2)).data();
  }
  ZP_ASSIGN_OR_RETURN(T alpha, factor<T>(call, "alpha"));
  ZP_ASSIGN_OR_RETURN(T beta, factor<T>(call, "beta"));
  const T* a_data = elements_as<T>(call.input(0)).data();
  const T* b_data = elements_as<T>(call.input(1)).data();
  T* out = elements_as<T>(y).data();
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < b.columns; ++j) {
      T sum{};
      for (std::int64_t k = 0; k < a.columns; ++k) {
        sum = add_product(sum, a_data[i * a.row_step + k * a.column_step],
                          b_data[k * b.row_step + j * b.column_step]);
      }
      sum = Times<T>()(alpha, sum);
      if (c_data != nullptr) {
        sum = Plus<T>()(sum, Times<T>()(beta, c_data[i * c.row_step + j * c.column_step]));
      }
      *out++ = sum;
    }
  }
  return one(std::move(y));
}

}  // namespace

Result<std::vector<Tensor>> gemm(const OperatorCall& call) {
  const Tensor& a = call.input(0);
  const Tensor& b = call.input(1);
  bool typed = a.type() == b.type() && (!call.has(2) || call.input(2).type() == a.type());
  if (!typed || a.rank() != 2 || b.rank() != 2) {
    return Status::invalid_argument("its inputs must be matrices of one type");
  }
  Matrix left = Matrix::of(a.shape(), call.int_attribute("transA") != 0);
  Matrix right = Matrix::of(b.shape(), call.int_attribute("transB") != 0);
  if (left.columns != right.rows) {
    return Status::invalid_argument("matrices ", a.shape(), " and ", b.shape(), " cannot be multiplied");
  }
  return visit_products(a.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    return gemm_of<decltype(element)>(call, left, right);
  });
}

}  // namespace zeropoint::operators
