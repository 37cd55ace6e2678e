#pragma once

// Layers with constant weights, packed for kernels. They serve all shapes that a session is prepared for.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "kernels/dot/dot.h"
#include "zeropoint/operations.h"

namespace zeropoint::engine {

/// The order of a layer's K as its kernel meets it, as indices into the program's, -1 for a weight of 0; and
/// where segments begin. A layer of few channels can be packed several times, for neighbouring positions that
/// are computed as channels of one.
struct DotOrder {
  std::vector<std::vector<std::int32_t>> copies;  ///< segments * depth indices each
  std::int64_t segments = 1;
  std::int64_t depth = 0;
  /// What is added to the bias of each channel of the layer; none: 0.
  std::vector<std::int64_t> added_bias;
  /// The second half of the copies begins with a panel of its own, for DotKernel::run_maxima.
  bool in_halves = false;
};

/// A group of output channels with its weights packed.
struct PackedDot {
  kernels::AlignedVector<std::int8_t> weights;
  kernels::AlignedVector<std::int32_t> bias;
  kernels::AlignedVector<float> multipliers;  ///< empty for accumulators
  kernels::DotRest rest;                      ///< of kernels that split weights
};

struct DotLayer {
  const kernels::DotKernel* kernel = nullptr;
  std::vector<PackedDot> groups;

  [[nodiscard]] std::int64_t bytes() const;
};

/// The packed weights of one layer and the first of `kernels` that they are worth splitting for; the last one
/// splits none. `input_shift` is subtracted from the bytes of the input to get the program's integers.
std::shared_ptr<const DotLayer> pack_layer(const LinearLayer& layer, std::int64_t group,
                                           const DotOrder& order, std::int32_t input_shift,
                                           std::span<const kernels::DotKernel* const> kernels);

/// What a session has packed so far, by operation and by what its packing depends on.
class LayerCache {
 public:
  using Key = std::tuple<std::size_t, const void*, std::int64_t, std::int64_t>;

  /// What `make` gives, made once for each key.
  template <typename Layer, typename Make>
  std::shared_ptr<const Layer> get(const Key& key, Make&& make) {
    std::shared_ptr<const void>& slot = layers_[key];
    if (slot == nullptr) {
      std::shared_ptr<const Layer> made = make();
      bytes_ += made->bytes();
      slot = made;
    }
    return std::static_pointer_cast<const Layer>(slot);
  }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  std::map<Key, std::shared_ptr<const void>> layers_;
  std::int64_t bytes_ = 0;
};

}  // namespace zeropoint::engine
