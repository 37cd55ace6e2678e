#include "engine/layer_cache.h"

#include <algorithm>
#include <optional>
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

/// As many as whole panels have.
std::size_t filled_up(std::size_t count, std::int64_t panel) {
  auto size = static_cast<std::size_t>(panel);
  return (count + size - 1) / size * size;
}

/// What a kernel computes as a channel: one of the layer's by one of the copies.
struct PackedChannel {
  std::int64_t channel;
  std::size_t copy;
};

/// The channels of a group as they are packed; where a half begins with a panel of its own, some have none.
std::vector<std::optional<PackedChannel>> packed_channels(const DotOrder& order, std::int64_t channels,
                                                          std::int64_t panel) {
  std::vector<std::optional<PackedChannel>> all;
  for (std::size_t copy = 0; copy < order.copies.size(); ++copy) {
    if (order.in_halves && copy == order.copies.size() / 2) {
      all.resize(filled_up(all.size(), panel));
    }
    for (std::int64_t m = 0; m < channels; ++m) {
      all.push_back(PackedChannel{m, copy});
    }
  }
  return all;
}

/// Packed for one kernel; nullptr where that splits weights and these are not worth it.
std::shared_ptr<const DotLayer> pack_for(const kernels::DotKernel& kernel, const LinearLayer& layer,
                                         std::int64_t group, const DotOrder& order,
                                         std::int32_t input_shift) {
  auto result = std::make_shared<DotLayer>();
  result->kernel = &kernel;
  std::int64_t channels = layer.weights.dim(0) / group;
  std::int64_t depth = layer.weights.size() / layer.weights.dim(0);
  const std::int8_t* w = layer.weights.data<std::int8_t>().data();
  const auto* multipliers =
      layer.requantization ? std::get_if<std::vector<float>>(&layer.requantization->multipliers) : nullptr;
  std::vector<std::optional<PackedChannel>> made = packed_channels(order, channels, kernel.panel);
  auto size_of_first = [&](std::int64_t count) {
    return kernels::packed_size(count, order.segments, order.depth, kernel.panel, kernel.unit);
  };
  bool as_they_are = is_in_order(order, depth);
  std::int64_t of_channel = order.segments * order.depth;
  std::vector<std::int8_t> ordered(static_cast<std::size_t>(as_they_are ? 0 : kernel.panel * of_channel));
  for (std::int64_t g = 0; g < group; ++g, w += channels * depth) {
    PackedDot packed;
    packed.weights.resize(static_cast<std::size_t>(size_of_first(std::ssize(made))));
    packed.bias.resize(filled_up(made.size(), kernel.panel));
    packed.multipliers.resize(multipliers != nullptr ? packed.bias.size() : 0);
    for (std::int64_t first = 0; first < std::ssize(made); first += kernel.panel) {
      std::int64_t count = std::min(kernel.panel, std::ssize(made) - first);
      for (std::int64_t i = 0; i < count; ++i) {
        auto at = static_cast<std::size_t>(first + i);
        if (!made[at]) {
          std::fill_n(ordered.begin() + i * of_channel, of_channel, std::int8_t{0});
          continue;
        }
        const std::int8_t* own = w + made[at]->channel * depth;
        if (!as_they_are) {
          put_in_order(own, order.copies[made[at]->copy], ordered.data() + i * of_channel);
        }
        auto channel = static_cast<std::size_t>(g * channels + made[at]->channel);
        std::int64_t bias =
            layer.folded_bias[channel] + (order.added_bias.empty() ? 0 : order.added_bias[channel]);
        if (input_shift != 0) {
          SignedSums sums = signed_sums({own, static_cast<std::size_t>(depth)});
          bias -= input_shift * (sums.positive + sums.negative);
        }
        packed.bias[at] = static_cast<std::int32_t>(bias);
        if (multipliers != nullptr) {
          packed.multipliers[at] = (*multipliers)[channel];
        }
      }
      kernels::pack_dot_panel(as_they_are ? w + first * depth : ordered.data(), count, order.segments,
                              order.depth, kernel.panel, kernel.unit,
                              packed.weights.data() + size_of_first(first));
    }
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
