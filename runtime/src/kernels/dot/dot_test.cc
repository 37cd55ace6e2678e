// Each kernel of the dot family against its definition, in 64 bits and by the normative requantization.

#include "kernels/dot/dot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/kernels_at_hand_for_test.h"
#include "zeropoint/requantize.h"

namespace zeropoint::kernels {
namespace {

using namespace testing_kernels;

struct Extents {
  std::int64_t segments, depth, positions, channels;
};

Extents any_extents(Rng& rng) {
  return {pick(rng, 1, 3), one_of<std::int64_t>(rng, {1, 2, 3, 4, 5, 7, 8, 10, 63, 64, 65, 100, 257, 700}),
          one_of<std::int64_t>(
              rng, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 24, 25, 31, 32, 33, 49, 65}),
          one_of<std::int64_t>(
              rng, {1, 2, 3, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 127, 128, 129})};
}

/// A random product: its extents, data and epilogue, and where the results go.
struct Case : Extents {
  std::int64_t step;
  std::int64_t row_length, row_gap;
  std::vector<std::uint8_t> input;
  std::vector<std::ptrdiff_t> offsets;
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias, row_bias;
  std::vector<float> multipliers;
  std::vector<std::uint8_t> other;
  std::ptrdiff_t output_step, output_row;
  std::int64_t outputs;
  Epilogue epilogue;

  Case(Rng& rng, EpilogueKind kind, Extents extents) : Extents(extents) {
    step = pick(rng, 1, depth + 3);
    row_length = pick(rng, 0, 1) == 0 ? positions : pick(rng, 1, positions);
    row_gap = row_length == positions ? 0 : pick(rng, 0, 3);
    std::int64_t reach = 0;
    for (std::int64_t s = 0; s < segments; ++s) {
      offsets.push_back(pick(rng, 0, 40));
      reach = std::max<std::int64_t>(reach, offsets.back());
    }
    input = random_bytes<std::uint8_t>(rng, (positions - 1) * step + reach + depth + 2 * kReadSlack);
    weights = random_bytes<std::int8_t>(rng, channels * segments * depth);
    std::int64_t corner = pick(rng, 0, 7);
    if (corner < 4) {  // every pair of weights as large as can be, in one direction or in two
      std::fill(input.begin(), input.end(), corner == 3 ? std::uint8_t{254} : std::uint8_t{255});
      for (std::int8_t& w : weights) {
        w = corner == 0 || (corner > 1 && pick(rng, 0, 1) == 0) ? std::int8_t{-128} : std::int8_t{127};
      }
    } else if (corner == 4) {  // as networks have them: few large ones
      std::normal_distribution<float> normal(0, 35);
      for (std::int8_t& w : weights) {
        w = static_cast<std::int8_t>(std::clamp(normal(rng), -128.0F, 127.0F));
      }
    }
    for (std::int64_t m = 0; m < channels; ++m) {
      bias.push_back(static_cast<std::int32_t>(pick(rng, -100000, 100000)));
      multipliers.push_back(std::uniform_real_distribution<float>(1e-5F, 0.01F)(rng));
    }
    for (std::int64_t p = 0; p < positions; ++p) {
      row_bias.push_back(static_cast<std::int32_t>(pick(rng, -1000, 1000)));
    }
    output_step = channels + pick(rng, 0, 5);
    output_row = row_length * output_step + pick(rng, 0, 7);
    std::int64_t rows = (positions + row_length + row_gap - 1) / (row_length + row_gap);
    outputs = rows * output_row + channels;
    other = random_bytes<std::uint8_t>(rng, outputs);
    epilogue.kind = kind;
    if (pick(rng, 0, 2) > 0) {  // else no shift and no clamp
      epilogue.zero_point = static_cast<std::int32_t>(pick(rng, 0, 255));
      epilogue.low = static_cast<std::uint8_t>(pick(rng, 0, 100));
      epilogue.high = static_cast<std::uint8_t>(pick(rng, 101, 255));
    }
    epilogue.own_first = pick(rng, 0, 1) == 0;
    epilogue.own_scale = std::uniform_real_distribution<float>(0.1F, 2)(rng);
    epilogue.other_scale = std::uniform_real_distribution<float>(0.1F, 2)(rng);
    epilogue.fixed = std::uniform_real_distribution<float>(-100, 100)(rng);
    epilogue.own_shift = pick(rng, 0, 1) == 0 ? 0 : 128;
    epilogue.other_shift = pick(rng, 0, 1) == 0 ? 0 : 128;
    epilogue.sum_shift = pick(rng, 0, 1) == 0 ? 0 : 128;
    if (pick(rng, 0, 2) > 0) {
      epilogue.sum_low = static_cast<std::uint8_t>(pick(rng, 0, 30));
      epilogue.sum_high = static_cast<std::uint8_t>(pick(rng, 200, 255));
    }
  }

  /// Where the result of a position lies; negative for one in a gap.
  [[nodiscard]] std::ptrdiff_t target(std::int64_t position) const {
    std::int64_t x = position % (row_length + row_gap);
    return x >= row_length ? -1 : position / (row_length + row_gap) * output_row + x * output_step;
  }

  [[nodiscard]] std::int64_t sum(std::int64_t position, std::int64_t m, bool with_rows) const {
    std::int64_t total = bias[static_cast<std::size_t>(m)];
    total += with_rows ? row_bias[static_cast<std::size_t>(position)] : 0;
    for (std::int64_t s = 0; s < segments; ++s) {
      for (std::int64_t k = 0; k < depth; ++k) {
        std::int64_t x =
            input[static_cast<std::size_t>(position * step + offsets[static_cast<std::size_t>(s)] + k)];
        total += x * weights[static_cast<std::size_t>((m * segments + s) * depth + k)];
      }
    }
    return total;
  }

  [[nodiscard]] std::uint8_t expected(std::int64_t accumulator, std::int64_t m, std::uint8_t its) const {
    const Epilogue& e = epilogue;
    std::int64_t own =
        requantize(accumulator, multipliers[static_cast<std::size_t>(m)], e.zero_point, {e.low, e.high});
    if (e.kind == EpilogueKind::kRequantize) {
      return static_cast<std::uint8_t>(own);
    }
    auto q = static_cast<float>(own - e.own_shift);
    auto p = static_cast<float>(its - e.other_shift);
    float sum = e.own_first ? q * e.own_scale + (p * e.other_scale + e.fixed)
                            : p * e.other_scale + (q * e.own_scale + e.fixed);
    return static_cast<std::uint8_t>(quantize_steps(sum, e.sum_shift, {e.sum_low, e.sum_high}));
  }
};

template <typename T>
std::vector<T> filled_up(const std::vector<T>& list, std::int64_t panel) {
  std::vector<T> filled = list;
  filled.resize((list.size() + static_cast<std::size_t>(panel) - 1) / static_cast<std::size_t>(panel) *
                static_cast<std::size_t>(panel));
  return filled;
}

/// Three runs at once give what they give one by one.
void expect_equal_runs(const DotKernel& kernel, DotParams p, const Case& c, unsigned seed) {
  std::ptrdiff_t size = p.epilogue->kind == EpilogueKind::kAccumulators ? 4 : 1;
  p.first_position = 0;
  p.positions = c.positions;
  p.first_channel = 0;
  p.channels = c.channels;
  p.input_run = seed % 16;  // within what lies behind the input
  p.output_run = c.outputs;
  std::vector<std::uint8_t> others = c.other;
  others.resize(3 * c.other.size(), 77);
  p.other = others.data();
  p.other_run = c.outputs;
  std::vector<std::uint8_t> together(static_cast<std::size_t>(3 * c.outputs * size));
  std::vector<std::uint8_t> apart = together;
  auto run = [&](std::int64_t first, std::int64_t runs, std::vector<std::uint8_t>& output) {
    DotParams q = p;
    q.runs = runs;
    q.input += first * p.input_run;
    q.output = output.data() + first * c.outputs * size;
    q.other += first * p.other_run;
    if (kernel.enter != nullptr) {
      kernel.enter(q);
    }
    kernel.run(q);
    if (kernel.leave != nullptr) {
      kernel.leave();
    }
  };
  run(0, 3, together);
  for (std::int64_t i = 0; i < 3; ++i) {
    run(i, 1, apart);
  }
  ASSERT_EQ(together, apart) << "seed " << seed;
}

void test(const DotKernel& kernel, const Case& c, bool with_rows, unsigned seed) {
  AlignedVector<std::int8_t> packed =
      pack_dot(c.weights, c.channels, c.segments, c.depth, kernel.panel, kernel.unit);
  std::int64_t filled = (c.depth + kernel.unit - 1) / kernel.unit * kernel.unit;
  DotRest rest;
  std::vector<std::ptrdiff_t> rest_at;
  if (kernel.split != nullptr) {
    rest = kernel.split(packed, c.segments, filled);
  }
  for (std::int32_t quad : rest.quads) {
    rest_at.push_back(c.offsets[static_cast<std::size_t>(quad / (filled / 4))] + quad % (filled / 4) * 4);
  }
  std::vector<std::int32_t> bias = filled_up(c.bias, kernel.panel);
  std::vector<float> multipliers = filled_up(c.multipliers, kernel.panel);
  Epilogue e = c.epilogue;
  e.bias = bias.data();
  e.multipliers = multipliers.data();
  bool sums = e.kind == EpilogueKind::kAccumulators;
  constexpr std::uint8_t kUntouched = 0xA5;
  std::vector<std::uint8_t> output(static_cast<std::size_t>(c.outputs) * (sums ? 4 : 1), kUntouched);
  DotParams p;
  p.input = c.input.data();
  p.input_step = c.step;
  p.segments = c.offsets.data();
  p.segment_count = c.segments;
  p.segment_depth = filled;
  p.weights = packed.data();
  p.rest = &rest;
  p.rest_at = rest_at.data();
  p.channels = c.channels;
  p.row_bias = with_rows ? c.row_bias.data() : nullptr;
  p.positions = c.positions;
  p.row_length = c.row_length;
  p.row_gap = c.row_gap;
  p.output = output.data();
  p.output_step = c.output_step;
  p.output_row = c.output_row;
  p.other = c.other.data();
  p.other_step = c.output_step;
  p.other_row = c.output_row;
  p.epilogue = &e;
  // In two parts, as two threads would: cut along positions, or along channels.
  std::int64_t middle = seed % 3 == 0 ? 0 : static_cast<std::int64_t>(seed) % c.positions;
  std::int64_t panels =
      seed % 3 == 0 ? 16 * (static_cast<std::int64_t>(seed / 3) % (c.channels / 16 + 1)) : 0;
  for (bool second : {false, true}) {
    p.first_position = second ? middle : 0;
    p.positions = second || middle == 0 ? c.positions : middle;
    p.first_channel = second ? panels : 0;
    p.channels = second || panels == 0 ? c.channels : panels;
    if ((!second && middle == 0 && panels == 0) || p.first_channel == p.channels) {
      continue;
    }
    if (kernel.enter != nullptr) {
      kernel.enter(p);
    }
    kernel.run(p);
    if (kernel.leave != nullptr) {
      kernel.leave();
    }
  }
  if (kernel.takes_runs) {
    expect_equal_runs(kernel, p, c, seed);
  }
  std::vector<std::uint8_t> expected(output.size(), kUntouched);
  for (std::int64_t position = 0; position < c.positions; ++position) {
    std::ptrdiff_t at = c.target(position);
    for (std::int64_t m = 0; m < c.channels && at >= 0; ++m) {
      std::int64_t sum = c.sum(position, m, with_rows);
      auto to = static_cast<std::size_t>(at + m);
      if (sums) {
        auto narrow = static_cast<std::int32_t>(sum);
        std::memcpy(expected.data() + 4 * to, &narrow, 4);
      } else {
        expected[to] = c.expected(sum, m, c.other[to]);
      }
    }
  }
  ASSERT_EQ(output, expected) << "seed " << seed << ": " << c.positions << " positions, " << c.channels
                              << " channels, " << c.segments << " segments of " << c.depth;
}

TEST(Dot, EveryKernelEqualsTheDefinition) {
  for_each_at_hand(dot_kernels(), [](const DotKernel& kernel) {
    for (unsigned seed = 0; seed < 600; ++seed) {
      Rng rng(seed);
      constexpr EpilogueKind kKinds[] = {EpilogueKind::kAccumulators, EpilogueKind::kRequantize,
                                         EpilogueKind::kAdd};
      Case c(rng, kKinds[seed / 3 % 3], any_extents(rng));
      test(kernel, c, pick(rng, 0, 1) == 0, seed);
      if (::testing::Test::HasFatalFailure()) {
        return;
      }
    }
  });
}

// Panels meet all positions in turns where they are more than a cache keeps.
TEST(Dot, MoreWeightsThanStayNear) {
  for_each_at_hand(dot_kernels(), [](const DotKernel& kernel) {
    Rng rng(1);
    Case c(rng, EpilogueKind::kRequantize, {2, 2050, 37, 225});
    test(kernel, c, false, 1);
  });
}

/// What vpmaddubsw sums in one int16: no bytes take it out of range.
void expect_in_int16(const std::vector<int>& weights) {
  int positive = 0;
  int negative = 0;
  for (int w : weights) {
    (w > 0 ? positive : negative) += w;
  }
  ASSERT_LE(255 * positive, 32767);
  ASSERT_GE(255 * negative, -32768);
}

/// Weights [channels][segments * depth] as the kernel's panels and their rest give them.
std::vector<int> put_together(std::span<const std::int8_t> kept, const DotRest& rest, std::int64_t channels,
                              std::int64_t depth, std::int64_t all) {
  constexpr std::int64_t kPanel = 8;
  constexpr std::int64_t kChannels = DotRest::kChannels;
  std::vector<int> sums(static_cast<std::size_t>(channels * all));
  for (std::int64_t m = 0; m < channels; ++m) {
    for (std::int64_t k = 0; k < all; ++k) {
      auto at = static_cast<std::size_t>((m / kPanel * all + k / 4 * 4) * kPanel + m % kPanel * 4 + k % 4);
      std::int64_t in_segment = k % depth;
      std::int64_t block = k - in_segment + in_segment / 16 * 16;
      std::int64_t to = rest.order.empty() ? k : block + rest.order[at];
      EXPECT_EQ(to / depth, k / depth);
      sums[static_cast<std::size_t>(m * all + to)] += kept[at];
    }
  }
  for (std::int64_t first = 0; first < channels; first += kChannels) {
    const std::int32_t* groups = rest.begin.data() + first / kChannels;
    for (std::int32_t group = groups[0]; group < groups[1]; ++group) {
      std::vector<int> of_channel[kChannels];
      for (std::int32_t i = rest.groups[static_cast<std::size_t>(group)];
           i < rest.groups[static_cast<std::size_t>(group) + 1]; ++i) {
        const std::int8_t* window = rest.windows.data() + std::int64_t{i} * 4 * kChannels;
        std::int64_t quad = rest.quads[static_cast<std::size_t>(i)];
        for (std::int64_t slot = 0; slot < 2 * kChannels; ++slot) {
          std::int8_t w = window[slot + 2 * kChannels];
          std::int64_t k = 4 * quad + window[slot];
          if (w != 0) {
            EXPECT_EQ(k / depth, 4 * quad / depth) << "a window of two segments";
            EXPECT_LT(window[slot], DotRest::kWindow);
            sums[static_cast<std::size_t>((first + slot / 2) * all + k)] += w;
          }
          of_channel[slot / 2].push_back(w);
        }
      }
      for (const std::vector<int>& weights : of_channel) {
        expect_in_int16(weights);
      }
    }
  }
  return sums;
}

// 255 * 127 * 2 passes int16: a kernel that multiplies pairs there must keep such weights apart.
TEST(Dot, SplitWeightsAreTheSameInSum) {
  for (const DotKernel& kernel : dot_kernels()) {
    for (unsigned seed = 0; seed < 200 && kernel.split != nullptr; ++seed) {
      Rng rng(seed);
      std::int64_t channels = pick(rng, 1, 40);
      std::int64_t segments = pick(rng, 1, 3);
      std::int64_t depth = 4 * pick(rng, 1, 12);
      std::vector<std::int8_t> weights;
      for (std::int64_t i = 0; i < channels * segments * depth; ++i) {
        auto any = static_cast<std::int8_t>(pick(rng, -128, 127));
        weights.push_back(seed % 4 == 0   ? std::int8_t{-128}
                          : seed % 4 == 1 ? std::int8_t{127}
                          : seed % 4 == 2 ? static_cast<std::int8_t>(any / 2 + 20)
                                          : one_of<std::int8_t>(rng, {-128, 127, 64, -64, any}));
      }
      AlignedVector<std::int8_t> kept = pack_dot(weights, channels, segments, depth, kernel.panel, 4);
      DotRest rest = kernel.split(kept, segments, depth);
      ASSERT_EQ(put_together(kept, rest, channels, depth, segments * depth),
                std::vector<int>(weights.begin(), weights.end()))
          << "seed " << seed;
      for (std::size_t i = 0; i < kept.size(); i += 2) {
        expect_in_int16({kept[i], kept[i + 1]});
      }
      // Weights of which every pair is too much are for other kernels.
      ASSERT_TRUE(seed % 4 > 1 || !rest.worth);
    }
  }
}

TEST(Dot, OperandsArePackedAsWeightsAre) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    std::int64_t depth = pick(rng, 1, 40);
    std::int64_t channels = pick(rng, 1, 40);
    std::int64_t panel = one_of<std::int64_t>(rng, {8, 16});
    std::int64_t unit = one_of<std::int64_t>(rng, {4, 64});
    std::vector<std::uint8_t> matrix = random_bytes<std::uint8_t>(rng, depth * channels);
    std::vector<std::int8_t> turned;  // [channels][depth]
    for (std::int64_t m = 0; m < channels; ++m) {
      for (std::int64_t k = 0; k < depth; ++k) {
        turned.push_back(static_cast<std::int8_t>(matrix[static_cast<std::size_t>(k * channels + m)] - 128));
      }
    }
    AlignedVector<std::int8_t> expected = pack_dot(turned, channels, 1, depth, panel, unit);
    AlignedVector<std::int8_t> actual(expected.size(), 77);
    pack_dot_operand(matrix.data(), depth, channels, panel, unit, actual.data());
    ASSERT_EQ(actual, expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace zeropoint::kernels
