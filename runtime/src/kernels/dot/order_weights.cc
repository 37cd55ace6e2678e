#include "kernels/dot/order_weights.h"

#include <algorithm>
#include <array>

#include "kernels/dot/dot.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kQuad = 32;  // bytes, of 8 channels
constexpr std::int64_t kBlockQuads = DotRest::kWindow / 4;

/// The weights of one channel and of `quads` quads, the first of which is at `packed`: the smallest one
/// beside the largest one and so on, which makes no pair's sum larger than it has to be.
void order_channel(std::int8_t* packed, std::int8_t* order, std::int64_t quads) {
  struct Weight {
    std::int8_t value;
    std::int8_t byte;
  };
  std::array<Weight, DotRest::kWindow> weights;
  auto count = static_cast<std::size_t>(4 * quads);
  auto at = [](std::size_t i) { return i / 4 * kQuad + i % 4; };
  for (std::size_t i = 0; i < count; ++i) {
    weights[i] = {packed[at(i)], static_cast<std::int8_t>(i)};
  }
  std::sort(weights.begin(), weights.begin() + 4 * quads,
            [](const Weight& a, const Weight& b) { return a.value < b.value; });
  for (std::size_t i = 0; i < count; ++i) {
    const Weight& weight = weights[i % 2 == 0 ? i / 2 : count - 1 - i / 2];
    packed[at(i)] = weight.value;
    order[at(i)] = weight.byte;
  }
}

}  // namespace

AlignedVector<std::int8_t> order_weights(std::span<std::int8_t> packed, std::int64_t depth) {
  AlignedVector<std::int8_t> order(packed.size());
  std::int64_t segment = depth / 4 * kQuad;
  for (std::int64_t begin = 0; begin < std::ssize(packed); begin += segment) {
    for (std::int64_t quad = 0; quad < depth / 4; quad += kBlockQuads) {
      std::int64_t first = begin + quad * kQuad;
      for (std::int64_t m = first; m < first + kQuad; m += 4) {
        order_channel(packed.data() + m, order.data() + m, std::min(kBlockQuads, depth / 4 - quad));
      }
    }
  }
  return order;
}

}  // namespace zeropoint::kernels
