#pragma once

// Products of rows of uint8 with constant int8 weights, summed exactly in int32:
//
//     acc[p][m] = bias[m] + row_bias[p] + sum over s, k of input[p * input_step + segments[s] + k] *
//     w[m][s][k]
//
// A convolution over an image in NHWC with its padding in memory is such a product: a position p is an output
// pixel, a segment a row of the kernel, whose taps and channels lie side by side. So is a matrix product: one
// segment.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/aligned_vector.h"
#include "kernels/epilogue.h"
#include "zeropoint/cpu.h"

namespace zeropoint::kernels {

/// Weights beside those of the panels, for kernels that cannot take all of them at once: some bytes of the
/// input are multiplied a second time, for 16 channels together. A window is 16 neighbouring bytes of a
/// segment, of which each channel takes two; the products of a group of windows stay in int16 when summed.
struct DotRest {
  static constexpr std::int64_t kChannels = 16;
  static constexpr std::int64_t kWindow = 16;  ///< of bytes; also what an order is of

  std::vector<std::int32_t> begin;     ///< the first group of each 16 channels, and the end
  std::vector<std::int32_t> groups;    ///< the first window of each, and the end
  std::vector<std::int32_t> quads;     ///< of each window: its first four bytes, by their number in a panel
  AlignedVector<std::int8_t> windows;  ///< of each: [channel][2] indices of bytes, then [channel][2] weights
  /// Of kernels that take bytes in an order of their own: for each weight the index of its byte of 16.
  AlignedVector<std::int8_t> order;
  bool worth = true;  ///< quicker than the kernels that follow in the table
};

/// Positions in one run have one distance in the input. In the output they are rows of `row_length`
/// positions; behind each follow `row_gap` positions that are computed for nothing and not stored: such is an
/// image whose rows, padding included, are walked through as one.
struct DotParams {
  const std::uint8_t* input = nullptr;
  std::ptrdiff_t input_step = 0;
  const std::ptrdiff_t* segments = nullptr;
  std::int64_t segment_count = 0;
  std::int64_t segment_depth = 0;  ///< bytes of a segment, filled up with weights of 0 to the kernel's unit

  const std::int8_t* weights = nullptr;     ///< see pack_dot()
  const DotRest* rest = nullptr;            ///< of kernels that split weights
  const std::ptrdiff_t* rest_at = nullptr;  ///< where each of its windows lies, from a position's input on
  std::int64_t first_channel = 0;           ///< a multiple of the panel's channels, and of 16
  std::int64_t channels = 0;                ///< the end of the channels to compute

  /// Of DotKernel::run_maxima: from the input of a position's upper line to that of the lower one.
  std::ptrdiff_t second_line = 0;

  const std::int32_t* row_bias = nullptr;  ///< none: 0
  std::int64_t first_position = 0;         ///< of those to compute
  std::int64_t positions = 0;              ///< their end
  std::int64_t row_length = 0;
  std::int64_t row_gap = 0;

  // In elements: of uint8, or of int32 for accumulators. Of position 0 and channel 0.
  void* output = nullptr;
  std::ptrdiff_t output_step = 0;
  std::ptrdiff_t output_row = 0;  ///< from one row's first position to the next one's

  const std::uint8_t* other = nullptr;  ///< of Epilogue::kAdd
  std::ptrdiff_t other_step = 0;
  std::ptrdiff_t other_row = 0;

  // More runs of the same kind for kernels that take them, and how far apart they are, in elements.
  std::int64_t runs = 1;
  std::ptrdiff_t input_run = 0;
  std::ptrdiff_t output_run = 0;
  std::ptrdiff_t other_run = 0;

  const Epilogue* epilogue = nullptr;
};

/// Input bytes behind the last one of a segment that kernels may read, and throw away.
inline constexpr std::int64_t kReadSlack = 64;

/// The extents of a product, for the choice of its kernel.
struct DotWork {
  std::int64_t positions;  ///< of one run
  std::int64_t channels;
  std::int64_t segments;
  std::int64_t depth;
  std::int64_t runs = 1;
};

struct DotKernel {
  std::string_view name;
  Isa isa;
  std::int64_t panel;  ///< channels of a panel of weights
  std::int64_t unit;   ///< segments are filled up to a multiple of it
  void (*run)(const DotParams& params);
  /// Takes from weights packed for it what it cannot multiply exactly with the others; `depth` is filled up.
  /// None: this is a kernel for any weights.
  DotRest (*split)(std::span<std::int8_t> packed, std::int64_t segments, std::int64_t depth);
  bool takes_runs;  ///< more than one at a time
  /// The largest of four sums, requantized: those of the two first panels, for the input of a position and
  /// that `second_line` behind it. For up to 16 channels, positions in one row, multipliers that are not
  /// negative and no addition. None: there is no such kernel.
  void (*run_maxima)(const DotParams& params);
  /// Called around the runs of one thread, all of as many positions. None: nothing is to be done.
  void (*enter)(const DotParams& params);
  void (*leave)();
  /// Whether it is quicker than what follows it in the table. None: always.
  bool (*worth)(const DotWork& work);
};

/// All that are compiled in, best first.
std::span<const DotKernel> dot_kernels();

/// Weights [channels][segments][depth] as panels: [channels / panel][segments][depth / 4][panel][4], filled
/// up with zeros.
AlignedVector<std::int8_t> pack_dot(std::span<const std::int8_t> weights, std::int64_t channels,
                                    std::int64_t segments, std::int64_t depth, std::int64_t panel,
                                    std::int64_t unit);

/// The bytes of that.
constexpr std::int64_t packed_size(std::int64_t channels, std::int64_t segments, std::int64_t depth,
                                   std::int64_t panel, std::int64_t unit) {
  return (channels + panel - 1) / panel * panel * segments * ((depth + unit - 1) / unit * unit);
}

/// One of its panels: up to `panel` channels, brought to memory that is 0.
void pack_dot_panel(const std::int8_t* weights, std::int64_t channels, std::int64_t segments,
                    std::int64_t depth, std::int64_t panel, std::int64_t unit, std::int8_t* packed);

/// A matrix of bytes [depth][channels], each less 128, as the weights of one segment: pack_dot()'s panels.
/// `packed` has room for whole panels and units, which are filled up with zeros.
void pack_dot_operand(const std::uint8_t* matrix, std::int64_t depth, std::int64_t channels,
                      std::int64_t panel, std::int64_t unit, std::int8_t* packed);

}  // namespace zeropoint::kernels
