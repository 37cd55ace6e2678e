// ONNX Softmax, LogSoftmax and Hardmax along one axis.

#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/axes.h"
#include "operators/elementary.h"
#include "operators/operators.h"
#include "operators/softmax_lanes.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

float power_of(float x) { return exponential(x); }
double power_of(double x) { return std::exp(x); }

/// softmax_lanes(), of either type.
template <typename T>
void softmax_of(const T* x, T* y, std::int64_t extent, std::int64_t inner, bool logarithm, T* largest,
                T* sums) {
  auto for_each = [&](auto function) {
    for (std::int64_t i = 0; i < extent; ++i) {
      for (std::int64_t lane = 0; lane < inner; ++lane) {
        function(i * inner + lane, lane);
      }
    }
  };
  std::fill_n(largest, inner, -std::numeric_limits<T>::infinity());
  std::fill_n(sums, inner, T{});
  for_each([&](std::int64_t at, std::int64_t lane) { largest[lane] = std::max(largest[lane], x[at]); });
  for_each([&](std::int64_t at, std::int64_t lane) {
    T shifted = x[at] - largest[lane];
    T power = power_of(shifted);
    sums[lane] += power;
    y[at] = logarithm ? shifted : power;
  });
  if (logarithm) {
    std::transform(sums, sums + inner, sums, [](T sum) { return std::log(sum); });
    for_each([&](std::int64_t at, std::int64_t lane) { y[at] -= sums[lane]; });
  } else {
    for_each([&](std::int64_t at, std::int64_t lane) { y[at] /= sums[lane]; });
  }
}

/// One outer position: x and y are [extent, inner]. The lanes of `inner` are worked on side by side, so that
/// memory is read in order whatever the axis.
template <typename T>
class Lanes {
 public:
  explicit Lanes(const AlongAxis& along)
      : extent_(along.extent),
        inner_(along.inner),
        largest_(static_cast<std::size_t>(inner_)),
        sum_(static_cast<std::size_t>(inner_)) {}

  void softmax(const T* x, T* y, bool logarithm) {
    softmax_of(x, y, extent_, inner_, logarithm, largest_.data(), sum_.data());
  }

  /// 1 at the first of the largest elements, 0 elsewhere.
  void hardmax(const T* x, T* y) {
    std::vector<std::int64_t> best(largest_.size(), -1);
    for_each([&](std::int64_t at, std::size_t lane) {
      if (best[lane] < 0 || x[at] > x[best[lane]]) {
        best[lane] = at;
      }
    });
    for (std::int64_t at : best) {
      if (at >= 0) {
        y[at] = T{1};
      }
    }
  }

 private:
  template <typename Function>
  void for_each(Function function) const {
    for (std::int64_t i = 0; i < extent_; ++i) {
      for (std::int64_t lane = 0; lane < inner_; ++lane) {
        function(i * inner_ + lane, static_cast<std::size_t>(lane));
      }
    }
  }

  std::int64_t extent_;
  std::int64_t inner_;
  std::vector<T> largest_;
  std::vector<T> sum_;
};

}  // namespace

void softmax_lanes(const float* x, float* y, std::int64_t extent, std::int64_t inner, bool logarithm,
                   float* largest, float* sums) {
  softmax_of(x, y, extent, inner, logarithm, largest, sums);
}

Result<std::vector<Tensor>> softmax(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    if (x.size() == 0) {
      return one(std::move(y));
    }
    Lanes<T> lanes(along);
    for (std::int64_t outer = 0; outer < along.outer; ++outer) {
      const T* from = x.data<T>().data() + outer * along.extent * along.inner;
      T* to = y.data<T>().data() + outer * along.extent * along.inner;
      if (call.op() == Op::kHardmax) {
        lanes.hardmax(from, to);
      } else {
        lanes.softmax(from, to, call.op() == Op::kLogSoftmax);
      }
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
