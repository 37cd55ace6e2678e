#include <algorithm>
#include <cmath>

#include "operators/axes.h"
#include "reference/elements.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

/// ln(x) for x > 0 as exponent * ln 2 + 2 atanh((f - 1) / (f + 1)), f in [sqrt(1/2), sqrt(2)): additions,
/// products and quotients in a fixed order, so that every machine has the same bits. Within 2^-50 of the
/// logarithm.
double natural_logarithm(double x) {
  constexpr double kLn2 = 0.693147180559945309417232121458;
  int exponent = 0;
  double f = std::frexp(x, &exponent);
  if (f < 0.70710678118654752440) {
    f *= 2;
    --exponent;
  }
  double t = (f - 1) / (f + 1);
  double square = t * t;
  double series = 0;
  for (int k = 25; k >= 1; k -= 2) {  // the next term is below 2^-70
    series = series * square + 1.0 / k;
  }
  return exponent * kLn2 + 2 * t * series;
}

}  // namespace

Result<Tensor> run(const SoftmaxOp& op, const Tensor& input, ElementType type) {
  ZP_ASSIGN_OR_RETURN(operators::AlongAxis along, operators::AlongAxis::of(input.shape(), op.axis));
  std::vector<std::int32_t> q = steps_of(input, 0);
  constexpr double kOne = 1073741824.0;  // 2^30
  std::vector<float> reals(q.size());
  for (std::int64_t lane = 0; along.extent > 0 && lane < along.outer * along.inner; ++lane) {
    std::int64_t first = lane / along.inner * along.extent * along.inner + lane % along.inner;
    auto at = [&](std::int64_t i) { return static_cast<std::size_t>(first + i * along.inner); };
    std::int32_t largest = q[at(0)];
    for (std::int64_t i = 1; i < along.extent; ++i) {
      largest = std::max(largest, q[at(i)]);
    }
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < along.extent; ++i) {
      sum += op.exponentials[static_cast<std::size_t>(largest - q[at(i)])];
    }
    auto total = static_cast<double>(sum);
    double logarithm = op.logarithm ? natural_logarithm(total / kOne) : 0;
    for (std::int64_t i = 0; i < along.extent; ++i) {
      std::int32_t distance = largest - q[at(i)];
      double exponential = static_cast<double>(op.exponentials[static_cast<std::size_t>(distance)]);
      double real = op.logarithm ? -static_cast<double>(distance) * static_cast<double>(op.scale) - logarithm
                                 : exponential / total;
      reals[at(i)] = static_cast<float>(real);
    }
  }
  Tensor output(type, input.shape());
  fill(output, [&](std::int64_t i) {
    return quantize(reals[static_cast<std::size_t>(i)], op.to.params, op.to.range);
  });
  return output;
}

}  // namespace zeropoint::reference
