// ONNX LRN, LpNormalization and MeanVarianceNormalization.

#include <algorithm>
#include <cmath>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

// y[n, c] = x[n, c] / (bias + alpha / size * sum of x[n, c']^2 over `size` channels around c)^beta
Result<std::vector<Tensor>> lrn(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  std::int64_t size = call.int_attribute("size");
  if (x.rank() < 2 || size < 1) {
    return Status::invalid_argument("input ", x.shape(), " and size ", size,
                                    " do not fit: channels and a size of at least 1 are needed");
  }
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), 1));
  double alpha = static_cast<double>(call.float_attribute("alpha")) / static_cast<double>(size);
  double beta = call.float_attribute("beta");
  double bias = call.float_attribute("bias");
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    std::vector<double> squares(x.size() == 0 ? 0 : static_cast<std::size_t>(along.inner));
    for (std::int64_t row = 0; row < (x.size() == 0 ? 0 : along.outer * along.extent); ++row) {
      std::int64_t channel = row % along.extent;
      std::int64_t before = std::min((size - 1) / 2, channel);
      std::int64_t after = std::min(size / 2, along.extent - 1 - channel);
      std::fill(squares.begin(), squares.end(), 0);
      for (std::int64_t other = row - before; other <= row + after; ++other) {
        const T* in = x.data<T>().data() + other * along.inner;
        std::transform(squares.begin(), squares.end(), in, squares.begin(),
                       [](double sum, T v) { return sum + static_cast<double>(v) * static_cast<double>(v); });
      }
      const T* in = x.data<T>().data() + row * along.inner;
      T* out = y.data<T>().data() + row * along.inner;
      std::transform(squares.begin(), squares.end(), in, out, [&](double sum, T v) {
        return static_cast<T>(static_cast<double>(v) / std::pow(bias + alpha * sum, beta));
      });
    }
    return one(std::move(y));
  });
}

// y = x / |x|_p along an axis; zeros stay.
Result<std::vector<Tensor>> lp_normalization(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
  std::int64_t p = call.int_attribute("p");
  if (p != 1 && p != 2) {
    return Status::invalid_argument("attribute p is ", p, "; 1 or 2 is needed");
  }
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    std::vector<double> norms(x.size() == 0 ? 0 : static_cast<std::size_t>(along.inner));
    for (std::int64_t outer = 0; outer < (x.size() == 0 ? 0 : along.outer); ++outer) {
      const T* in = x.data<T>().data() + outer * along.extent * along.inner;
      T* out = y.data<T>().data() + outer * along.extent * along.inner;
      std::fill(norms.begin(), norms.end(), 0);
      for (std::int64_t i = 0; i < along.extent * along.inner; ++i) {
        auto value = static_cast<double>(in[i]);
        norms[static_cast<std::size_t>(i % along.inner)] += p == 1 ? std::fabs(value) : value * value;
      }
      std::transform(norms.begin(), norms.end(), norms.begin(),
                     [&](double norm) { return p == 1 ? norm : std::sqrt(norm); });
      for (std::int64_t i = 0; i < along.extent * along.inner; ++i) {
        double norm = norms[static_cast<std::size_t>(i % along.inner)];
        out[i] = norm == 0 ? T{} : static_cast<T>(static_cast<double>(in[i]) / norm);
      }
    }
    return one(std::move(y));
  });
}

// y = (x - mean) / (deviation + 1e-9), both over `axes`.
Result<std::vector<Tensor>> mean_variance_normalization(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  std::vector<std::int64_t> axes = call.ints_attribute("axes");
  if (!call.attributes().contains("axes")) {
    axes = {0, 2, 3};
  }
  std::vector<bool> reduced(x.shape().size(), false);
  for (std::int64_t axis : axes) {
    ZP_ASSIGN_OR_RETURN(std::size_t i, axis_in(axis, x.shape()));
    reduced[i] = true;
  }
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    // The statistics to which each element belongs.
    std::vector<std::size_t> slots(static_cast<std::size_t>(x.size()), 0);
    std::size_t count = 1;
    std::int64_t inner = 1;
    for (std::size_t axis = x.size() == 0 ? 0 : reduced.size(); axis-- > 0;) {
      std::int64_t extent = x.shape()[axis];
      if (!reduced[axis]) {
        for (std::size_t i = 0; i < slots.size(); ++i) {
          slots[i] += count * static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % extent);
        }
        count *= static_cast<std::size_t>(extent);
      }
      inner *= extent;
    }
    std::vector<double> means(count, 0);
    std::vector<double> variances(count, 0);
    double share = static_cast<double>(count) / static_cast<double>(x.size());
    std::span<const T> in = x.data<T>();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      means[slots[i]] += static_cast<double>(in[i]) * share;
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      double centered = static_cast<double>(in[i]) - means[slots[i]];
      variances[slots[i]] += centered * centered * share;
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      constexpr double kEpsilon = 1e-9;
      y.data<T>()[i] = static_cast<T>((static_cast<double>(in[i]) - means[slots[i]]) /
                                      (std::sqrt(variances[slots[i]]) + kEpsilon));
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
