#include "engine/layer_cache.h"

#include <algorithm>
#include <span>

#include "signed_sums.h"

namespace zeropoint::engine {

std::int64_t DotLayer::bytes() const {
  std::size_t total = 0;
  for (const PackedDot& group : groups) {
    total += group.weights.size() + 4 * (group.bias.size() + group.multipliers.size()) +
             group.rest.windows.size() + group.rest.order.size() +
             4 * (group.rest.begin.size() + group.rest.groups.size() + group.rest.quads.size());
  }
  return static_cast<std::int64_t>(total);
}

namespace {

/// Puts a channel's weights in order.
void put_in_order(const std::int8_t* weights, const std::vector<std::int32_t>& order, std::int8_t* out) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    out[i] = order[i] < 0 ? std::int8_t{0} : weights[order[i]];
  }
}

/// Whether they are in order as they are.
bool is_in_order(const DotOrder& order, std::int64_t depth) {
  bool whole = order.copies.size() == 1 && std::ssize(order.copies[0]) == depth;
  for (std::size_t i = 0; whole && i < order.copies[0].size(); ++i) {
    whole = order.copies[0][i] == static_cast<std::int32_t>(i);
  }
  return whole;
}

/// Packed for one kernel; nullptr where that splits weights and these are not worth it.
std::shared_ptr<const DotLayer> pack_for(const kernels::DotKernel& kernel, const LinearLayer& layer,
                                         std::int64_t group, const DotOrder& order,
                                         std::int32_t input_shift) {
  auto result = std::make_shared<DotLayer>();
  result->kernel = &kernel;
  std::int64_t channels = layer.weights.dim(0) / group;
  std::int64_t depth = layer.weights.size() / layer.weights.dim(0);
  std::int64_t copies = std::ssize(order.copies);
  std::int64_t half =
      order.in_halves ? (channels * copies / 2 + kernel.panel - 1) / kernel.panel * kernel.panel : 0;
  std::int64_t made = order.in_halves ? 2 * half : channels * copies;
  const std::int8_t* w = layer.weights.data<std::int8_t>().data();
  const auto* multipliers =
      layer.requantization ? std::get_if<std::vector<float>>(&layer.requantization->multipliers) : nullptr;
  auto filled = static_cast<std::size_t>((made + kernel.panel - 1) / kernel.panel * kernel.panel);
  bool as_they_are = is_in_order(order, depth);
  for (std::int64_t g = 0; g < group; ++g, w += channels * depth) {
    auto count = static_cast<std::size_t>(made * order.segments * order.depth);
    auto ordered = std::make_unique<std::int8_t[]>(as_they_are ? 0 : count);
    PackedDot packed;
    packed.bias.resize(filled);
    packed.multipliers.resize(multipliers != nullptr ? filled : 0);
    std::size_t at = 0;
    for (std::int64_t c = 0; c < copies; ++c) {
      const std::vector<std::int32_t>& copy = order.copies[static_cast<std::size_t>(c)];
      if (order.in_halves && c == copies / 2) {
        at = static_cast<std::size_t>(half);
      }
      for (std::int64_t m = 0; m < channels; ++m, ++at) {
        const std::int8_t* own = w + m * depth;
        if (!as_they_are) {
          put_in_order(own, copy, ordered.get() + at * copy.size());
        }
        auto channel = static_cast<std::size_t>(g * channels + m);
        std::int64_t bias = layer.folded_bias[channel];
        if (input_shift != 0) {
          SignedSums sums = signed_sums({own, static_cast<std::size_t>(depth)});
          bias -= input_shift * (sums.positive + sums.negative);
        }
        packed.bias[at] = static_cast<std::int32_t>(bias);
        if (multipliers != nullptr) {
          packed.multipliers[at] = (*multipliers)[channel];
        }
      }
    }
    std::span<const std::int8_t> weights =
        as_they_are ? std::span(w, count) : std::span<const std::int8_t>(ordered.get(), count);
    packed.weights = kernels::pack_dot(weights, made, order.segments, order.depth, kernel.panel, kernel.unit);
    if (kernel.split != nullptr) {
      std::int64_t filled_depth = (order.depth + kernel.unit - 1) / kernel.unit * kernel.unit;
      packed.rest = kernel.split(packed.weights, order.segments, filled_depth);
      if (!packed.rest.worth) {
        return nullptr;
      }
    }
    result->groups.push_back(std::move(packed));
  }
  return result;
}

}  // namespace

std::shared_ptr<const DotLayer> pack_layer(const LinearLayer& layer, std::int64_t group,
                                           const DotOrder& order, std::int32_t input_shift,
                                           std::span<const kernels::DotKernel* const> kernels) {
  std::shared_ptr<const DotLayer> packed;
  for (std::size_t i = 0; packed == nullptr; ++i) {
    packed = pack_for(*kernels[i], layer, group, order, input_shift);
  }
  return packed;
}

}  // namespace zeropoint::engine
