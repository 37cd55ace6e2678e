// ONNX AveragePool, LpPool and the pools over whole planes: GlobalAveragePool, GlobalLpPool, GlobalMaxPool.

#include <algorithm>
#include <cmath>

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/window_taps.h"

namespace zeropoint::operators {
namespace {

/// What a pool makes of the elements under its window.
template <typename T>
class Pooling {
 public:
  explicit Pooling(const OperatorCall& call)
      : op_(call.op()),
        power_(op_ == Op::kLpPool || op_ == Op::kGlobalLpPool ? static_cast<T>(call.int_attribute("p"))
                                                              : T{1}) {}

  void start() { sum_ = T{0}; }
  void take(T element) {
    if (is_norm()) {
      sum_ += std::pow(std::abs(element), power_);
    } else {
      sum_ += element;
    }
  }
  [[nodiscard]] T result(std::int64_t count) const {
    return is_norm() ? std::pow(sum_, T{1} / power_) : sum_ / static_cast<T>(count);
  }

 private:
  [[nodiscard]] bool is_norm() const { return op_ == Op::kLpPool || op_ == Op::kGlobalLpPool; }

  Op op_;
  T power_;
  T sum_{};
};

template <typename T>
void pool_windows(const OperatorCall& call, const WindowGeometry& window, Tensor& y) {
  const Tensor& x = call.input(0);
  bool counts_padding = call.op() == Op::kAveragePool && call.int_attribute("count_include_pad") != 0;
  std::int64_t in_plane = product(window.input);
  T* out = y.data<T>().data();
  Pooling<T> pooling(call);
  for (std::int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane) {
    const T* in = x.data<T>().data() + plane * in_plane;
    Positions at(window.output);
    do {
      pooling.start();
      std::int64_t count = 0;
      Positions tap(window.kernel);
      do {
        std::int64_t offset = input_offset(window, *at, *tap);
        if (offset >= 0) {
          pooling.take(in[offset]);
        }
        count += offset >= 0 || (counts_padding && is_padded(window, *at, *tap)) ? 1 : 0;
      } while (tap.next());
      *out++ = pooling.result(count);
    } while (at.next());
  }
}

}  // namespace

Result<std::vector<Tensor>> window_pool(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  if (call.op() == Op::kLpPool && call.int_attribute("p") < 1) {
    return Status::invalid_argument("attribute p must be 1 or more");
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(call.op(), call.attributes(), x.shape(), {}));
  Shape shape{x.dim(0), x.dim(1)};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    if (y.size() != 0) {
      pool_windows<decltype(element)>(call, window, y);
    }
    return one(std::move(y));
  });
}

namespace {

/// The largest element of each plane, of integers too.
Result<std::vector<Tensor>> global_max(const Tensor& x, Tensor y) {
  return visit_number(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    std::int64_t plane = y.size() == 0 ? 0 : x.size() / y.size();
    const T* in = x.data<T>().data();
    for (T& out : y.data<T>()) {
      out = *std::max_element(in, in + plane);
      in += plane;
    }
    return one(std::move(y));
  });
}

}  // namespace

Result<std::vector<Tensor>> global_pool(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  if (x.rank() < 2 || (call.op() == Op::kGlobalLpPool && call.int_attribute("p") < 1)) {
    return Status::invalid_argument("input ", x.shape(), " has no channels, or p is below 1");
  }
  Shape shape(x.shape().size(), 1);
  shape[0] = x.dim(0);
  shape[1] = x.dim(1);
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  if (y.size() > 0 && x.size() == 0) {
    return Status::invalid_argument("input ", x.shape(), " has empty planes");
  }
  if (call.op() == Op::kGlobalMaxPool) {
    return global_max(x, std::move(y));
  }
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    std::int64_t plane = y.size() == 0 ? 0 : x.size() / y.size();
    const T* in = x.data<T>().data();
    Pooling<T> pooling(call);
    for (T& out : y.data<T>()) {
      pooling.start();
      std::for_each(in, in + plane, [&](T value) { pooling.take(value); });
      out = pooling.result(plane);
      in += plane;
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
