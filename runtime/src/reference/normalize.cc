#include <algorithm>
#include <cmath>

#include "operators/axes.h"
#include "reference/elements.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

/// The sets that are normalized: neighbouring elements, and which gain and bias each element has.
struct Sets {
  std::int64_t size;      ///< elements of one set
  std::int64_t period;    ///< gains
  std::int64_t per_gain;  ///< neighbours that share theirs

  [[nodiscard]] std::size_t gain_of(std::int64_t element) const {
    return static_cast<std::size_t>(element / per_gain % period);
  }
};

Result<Sets> sets_of(const NormalizeOp& op, const Shape& shape) {
  if (op.kind != NormalizeOp::Kind::kGroup) {
    ZP_ASSIGN_OR_RETURN(std::size_t axis, operators::axis_in(op.axis, shape));
    std::int64_t size = operators::extent_between(shape, axis, shape.size());
    return Sets{size, size, 1};
  }
  std::int64_t channels = shape.size() < 2 ? 0 : shape[1];
  std::int64_t groups = op.groups == 0 ? channels : op.groups;
  if (channels == 0 || channels % groups != 0) {
    return Status::invalid_argument(shape, " has no ", groups, " groups of channels");
  }
  std::int64_t plane = operators::extent_between(shape, 2, shape.size());
  return Sets{channels / groups * plane, channels, plane};
}

}  // namespace

Result<Tensor> run(const NormalizeOp& op, const Tensor& input, ElementType type) {
  ZP_ASSIGN_OR_RETURN(Sets sets, sets_of(op, input.shape()));
  for (const std::vector<float>* list : {&op.gain, &op.bias}) {
    if (list->size() != 1 && static_cast<std::int64_t>(list->size()) != sets.period) {
      return Status::invalid_argument(list->size(), " gains or biases do not fit ", input.shape());
    }
  }
  std::vector<std::int32_t> x = steps_of(input, op.from.zero_point);
  std::vector<float> reals(x.size());
  auto n = static_cast<double>(sets.size);
  auto scale = static_cast<double>(op.from.scale);
  for (std::int64_t begin = 0; sets.size > 0 && begin < input.size(); begin += sets.size) {
    std::int64_t sum = 0;
    std::int64_t squares = 0;
    for (std::int64_t i = begin; i < begin + sets.size; ++i) {
      std::int64_t step = x[static_cast<std::size_t>(i)];
      sum += step;
      squares += step * step;
    }
    auto total = static_cast<double>(sum);
    double mean = op.kind == NormalizeOp::Kind::kRootMeanSquare ? 0 : total / n;
    double variance = std::max((static_cast<double>(squares) - total * mean) / n, 0.0);
    double factor = scale / std::sqrt(variance * scale * scale + static_cast<double>(op.epsilon));
    for (std::int64_t i = begin; i < begin + sets.size; ++i) {
      std::size_t k = sets.gain_of(i);
      double centered = (static_cast<double>(x[static_cast<std::size_t>(i)]) - mean) * factor;
      double gain = static_cast<double>(op.gain[op.gain.size() == 1 ? 0 : k]);
      double bias = static_cast<double>(op.bias[op.bias.size() == 1 ? 0 : k]);
      reals[static_cast<std::size_t>(i)] = static_cast<float>(centered * gain + bias);
    }
  }
  Tensor output(type, input.shape());
  fill(output, [&](std::int64_t i) {
    return quantize(reals[static_cast<std::size_t>(i)], op.to.params, op.to.range);
  });
  return output;
}

}  // namespace zeropoint::reference
