#include "reference/linear_layer.h"

#include "reference/elements.h"

namespace zeropoint::reference {
namespace {

template <typename Weight, typename Sum>
void accumulate_as(const LinearLayer& layer, const std::int32_t* inputs, std::int64_t first,
                   std::int64_t count, std::int64_t* out, std::int64_t step) {
  std::int64_t depth = layer.weights.size() / layer.weights.dim(0);
  const Weight* w = layer.weights.data<Weight>().data() + first * depth;
  for (std::int64_t m = 0; m < count; ++m, w += depth) {
    auto sum = static_cast<Sum>(layer.folded_bias[static_cast<std::size_t>(first + m)]);
    for (std::int64_t k = 0; k < depth; ++k) {
      sum += static_cast<Sum>(inputs[k]) * w[k];
    }
    out[m * step] = sum;
  }
}

}  // namespace

void accumulate(const LinearLayer& layer, const std::int32_t* inputs, std::int64_t first, std::int64_t count,
                std::int64_t* out, std::int64_t step) {
  bool wide = layer.accumulator == ElementType::kInt64;
  visit_integer(layer.weights.type(), [&](auto element) {
    using Weight = decltype(element);
    if constexpr (std::is_signed_v<Weight> && sizeof(Weight) <= 4) {
      if (wide) {
        accumulate_as<Weight, std::int64_t>(layer, inputs, first, count, out, step);
      } else {
        accumulate_as<Weight, std::int32_t>(layer, inputs, first, count, out, step);
      }
    }
  });
}

Result<Tensor> finished(const std::optional<Requantization>& requantization,
                        const std::vector<std::int64_t>& accumulators, Shape shape, std::int64_t inner,
                        ElementType type) {
  ZP_ASSIGN_OR_RETURN(Tensor output, make_tensor(type, std::move(shape)));
  if (!requantization) {
    fill(output, [&](std::int64_t i) { return accumulators[static_cast<std::size_t>(i)]; });
    return output;
  }
  std::visit(
      [&](const auto& multipliers) {
        auto channels = static_cast<std::int64_t>(multipliers.size());
        fill(output, [&](std::int64_t i) {
          auto channel = static_cast<std::size_t>(i / inner % channels);
          return requantize(accumulators[static_cast<std::size_t>(i)], multipliers[channel],
                            requantization->zero_point, requantization->clamp);
        });
      },
      requantization->multipliers);
  return output;
}

}  // namespace zeropoint::reference
