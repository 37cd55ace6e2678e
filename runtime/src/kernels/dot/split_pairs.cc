#include "kernels/dot/split_pairs.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "kernels/dot/order_weights.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int32_t kMost = 128;
constexpr std::int64_t kPanel = 8;
constexpr std::int64_t kQuad = 4 * kPanel;  // bytes
constexpr std::int32_t kBlockQuads = DotRest::kWindow / 4;

/// What is too much of a weight.
struct Excess {
  std::int32_t quad;  ///< in its panel
  std::int32_t byte;  ///< of the four
  std::size_t channel;
  std::int8_t weight;
};

/// Takes from the pairs of a quad what is too much. order: see DotRest, or none.
void take_excess(std::int8_t* packed, const std::int8_t* order, std::int32_t quad, std::int32_t block,
                 std::size_t first_channel, std::vector<Excess>& excess) {
  for (int i = 0; i < kQuad; i += 2) {
    std::int8_t* pair = packed + i;
    int sum = pair[0] + pair[1];
    bool one_sign = (pair[0] > 0) == (pair[1] > 0);
    if (one_sign && (sum > kMost || sum < -kMost)) {
      int kept = (sum > 0 ? kMost : -kMost) - pair[0];
      std::int32_t byte = order == nullptr ? 4 * quad + i % 4 + 1 : 4 * block + order[i + 1];
      excess.push_back({byte / 4, byte % 4, first_channel + static_cast<std::size_t>(i) / 4,
                        static_cast<std::int8_t>(pair[1] - kept)});
      pair[1] = static_cast<std::int8_t>(kept);
    }
  }
}

/// Makes windows and groups of the excess of 16 channels.
class RestOfChannels {
 public:
  RestOfChannels(DotRest& rest, std::int32_t segment_quads) : rest_(rest), segment_quads_(segment_quads) {
    rest_.begin.push_back(static_cast<std::int32_t>(rest_.groups.size()));
  }

  /// In the order of their quads.
  void add(std::vector<Excess>& excess) {
    bool begins_group = true;
    for (auto next = excess.begin(); next != excess.end();) {
      if (begins_group || !fits(*next)) {
        rest_.groups.push_back(static_cast<std::int32_t>(rest_.quads.size()));
        sums_ = {};
        begins_group = false;
      }
      next = add_window(next, excess.end());
    }
  }

 private:
  /// Whether its channel's sum of the group stays in int16.
  [[nodiscard]] bool fits(const Excess& e) const {
    std::int32_t sum = sums_[e.channel][e.weight > 0 ? 1 : 0] + e.weight;
    return sum <= kMost && sum >= -kMost;
  }

  using Iterator = std::vector<Excess>::iterator;

  /// A window from the first one's quad on, with all that it can hold. What is left follows what is returned.
  Iterator add_window(Iterator next, Iterator end) {
    std::int32_t first = next->quad;
    std::int32_t behind =
        std::min<std::int32_t>(first + kBlockQuads, (first / segment_quads_ + 1) * segment_quads_);
    std::array<std::int8_t, 4 * DotRest::kChannels> window{};
    std::array<std::size_t, DotRest::kChannels> taken{};
    auto in_reach = std::find_if(next, end, [&](const Excess& e) { return e.quad >= behind; });
    auto left = std::stable_partition(next, in_reach, [&](const Excess& e) {
      if (taken[e.channel] == 2 || !fits(e)) {
        return false;
      }
      std::size_t at = 2 * e.channel + taken[e.channel]++;
      window[at] = static_cast<std::int8_t>((e.quad - first) * 4 + e.byte);
      window[at + 2 * DotRest::kChannels] = e.weight;
      sums_[e.channel][e.weight > 0 ? 1 : 0] += e.weight;
      return true;
    });
    rest_.quads.push_back(first);
    rest_.windows.insert(rest_.windows.end(), window.begin(), window.end());
    return left;
  }

  DotRest& rest_;
  std::int32_t segment_quads_;
  std::array<std::array<std::int32_t, 2>, DotRest::kChannels> sums_{};  ///< of negative and positive weights
};

/// What a tile takes more in the kernel that follows in the table, in cycles, measured.
struct Otherwise {
  std::int64_t quad;  ///< of 16 channels
  std::int64_t segment;
};

DotRest split(std::span<std::int8_t> packed, AlignedVector<std::int8_t> order, std::int64_t segments,
              std::int64_t depth, Otherwise otherwise) {
  DotRest rest;
  rest.order = std::move(order);
  auto segment_quads = static_cast<std::int32_t>(depth / 4);
  auto quads = static_cast<std::int32_t>(segments) * segment_quads;
  std::int64_t panel_bytes = quads * kQuad;
  auto size = static_cast<std::int64_t>(packed.size());
  for (std::int64_t begin = 0; begin < size; begin += 2 * panel_bytes) {
    std::vector<Excess> excess;
    for (std::int32_t quad = 0; quad < quads; ++quad) {
      std::int32_t block = quad - quad % segment_quads % kBlockQuads;
      for (std::int64_t panel = 0; panel < 2 && begin + panel * panel_bytes < size; ++panel) {
        std::int64_t at = begin + panel * panel_bytes + quad * kQuad;
        take_excess(packed.data() + at, rest.order.empty() ? nullptr : rest.order.data() + at, quad, block,
                    static_cast<std::size_t>(panel * kPanel), excess);
      }
    }
    std::sort(excess.begin(), excess.end(), [](const Excess& a, const Excess& b) {
      return std::tie(a.quad, a.channel, a.byte) < std::tie(b.quad, b.channel, b.byte);
    });
    RestOfChannels(rest, segment_quads).add(excess);
  }
  rest.begin.push_back(static_cast<std::int32_t>(rest.groups.size()));
  rest.groups.push_back(static_cast<std::int32_t>(rest.quads.size()));
  // In the same cycles, for a window and to widen the sums of a group.
  std::int64_t cost = 10 * std::ssize(rest.quads) + 30 * std::ssize(rest.groups);
  std::int64_t tiles = std::ssize(rest.begin) - 1;
  rest.worth = cost <= tiles * segments * (otherwise.quad * segment_quads + otherwise.segment);
  return rest;
}

}  // namespace

DotRest split_pairs(std::span<std::int8_t> packed, std::int64_t segments, std::int64_t depth) {
  return split(packed, {}, segments, depth, {5, 0});
}

DotRest order_and_split_pairs(std::span<std::int8_t> packed, std::int64_t segments, std::int64_t depth) {
  return split(packed, order_weights(packed, depth), segments, depth, {4, 15});
}

}  // namespace zeropoint::kernels
