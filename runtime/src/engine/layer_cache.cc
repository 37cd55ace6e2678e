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
  auto depth = static_cast<std::int64_t>(order.k.size());
  const std::int8_t* w = layer.weights.data<std::int8_t>().data();
  const auto* multipliers =
      layer.requantization ? std::get_if<std::vector<float>>(&layer.requantization->multipliers) : nullptr;
  auto filled = static_cast<std::size_t>((channels + kernel.panel - 1) / kernel.panel * kernel.panel);
  for (std::int64_t g = 0; g < group; ++g) {
    std::vector<std::int8_t> ordered;
    ordered.reserve(static_cast<std::size_t>(channels * depth));
    PackedDot packed;
    packed.bias.resize(filled);
    packed.multipliers.resize(multipliers != nullptr ? filled : 0);
    for (std::int64_t m = 0; m < channels; ++m, w += depth) {
      std::int64_t sum = 0;
      for (std::int32_t k : order.k) {
        ordered.push_back(w[k]);
        sum += w[k];
      }
      auto channel = static_cast<std::size_t>(g * channels + m);
      packed.bias[static_cast<std::size_t>(m)] =
          static_cast<std::int32_t>(layer.folded_bias[channel] - input_shift * sum);
      if (multipliers != nullptr) {
        packed.multipliers[static_cast<std::size_t>(m)] = (*multipliers)[channel];
      }
    }
    packed.weights =
        kernels::pack_dot(ordered, channels, order.segments, order.depth, kernel.panel, kernel.unit);
    result->groups.push_back(std::move(packed));
  }
  return result;
}

}  // namespace zeropoint::engine
