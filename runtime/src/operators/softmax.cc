// ONNX Softmax, LogSoftmax and Hardmax along one axis.

#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

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
    std::fill(largest_.begin(), largest_.end(), -std::numeric_limits<T>::infinity());
    std::fill(sum_.begin(), sum_.end(), T{});
    for_each([&](std::int64_t at, std::size_t lane) { largest_[lane] = std::max(largest_[lane], x[at]); });
    for_each([&](std::int64_t at, std::size_t lane) {
      T shifted = x[at] - largest_[lane];
      T power = std::exp(shifted);
      sum_[lane] += power;
      y[at] = logarithm ? shifted : power;
    });
    if (logarithm) {
      std::transform(sum_.begin(), sum_.end(), sum_.begin(), [](T sum) { return std::log(sum); });
      for_each([&](std::int64_t at, std::size_t lane) { y[at] -= sum_[lane]; });
    } else {
      for_each([&](std::int64_t at, std::size_t lane) { y[at] /= sum_[lane]; });
    }
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
