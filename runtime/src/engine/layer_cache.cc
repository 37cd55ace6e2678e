#include "engine/layer_cache.h"

#include <algorithm>

namespace zeropoint::engine {

std::int64_t DotLayer::bytes() const {
  std::size_t total = 0;
  for (const PackedDot& group : groups) {
    total += group.weights.size() + 4 * (group.bias.size() + group.multipliers.size());
  }
  return static_cast<std::int64_t>(total);
}

std::shared_ptr<const DotLayer> pack_layer(const LinearLayer& layer, std::int64_t group,
                                           const DotOrder& order, std::int32_t input_shift,
                                           const kernels::DotKernel& kernel) {
  auto result = std::make_shared<DotLayer>();
  result->kernel = &kernel;
  std::int64_t channels = layer.weights.dim(0) / group;
  std::int64_t depth = layer.weights.size() / layer.weights.dim(0);
  std::int64_t made = channels * std::ssize(order.copies);
  const std::int8_t* w = layer.weights.data<std::int8_t>().data();
  const auto* multipliers =
      layer.requantization ? std::get_if<std::vector<float>>(&layer.requantization->multipliers) : nullptr;
  auto filled = static_cast<std::size_t>((made + kernel.panel - 1) / kernel.panel * kernel.panel);
  for (std::int64_t g = 0; g < group; ++g, w += channels * depth) {
    std::vector<std::int8_t> ordered;
    ordered.reserve(static_cast<std::size_t>(made * order.segments * order.depth));
    PackedDot packed;
    packed.bias.resize(filled);
    packed.multipliers.resize(multipliers != nullptr ? filled : 0);
    std::size_t at = 0;
    for (const std::vector<std::int32_t>& copy : order.copies) {
      for (std::int64_t m = 0; m < channels; ++m, ++at) {
        std::int64_t sum = 0;
        for (std::int32_t k : copy) {
          std::int8_t weight = k < 0 ? std::int8_t{0} : w[m * depth + k];
          ordered.push_back(weight);
          sum += weight;
        }
        auto channel = static_cast<std::size_t>(g * channels + m);
        packed.bias[at] = static_cast<std::int32_t>(layer.folded_bias[channel] - input_shift * sum);
        if (multipliers != nullptr) {
          packed.multipliers[at] = (*multipliers)[channel];
        }
      }
    }
    packed.weights = kernels::pack_dot(ordered, made, order.segments, order.depth, kernel.panel, kernel.unit);
    result->groups.push_back(std::move(packed));
  }
  return result;
}

}  // namespace zeropoint::engine
