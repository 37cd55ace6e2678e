#pragma once

// Convolutions in which each channel has a window of its own:
//
//     acc[p][c] = bias[c] + sum over t of input[p * input_step + taps[t] + c] * w[c][t]

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/aligned_vector.h"
#include "kernels/epilogue.h"
#include "zeropoint/cpu.h"

namespace zeropoint::kernels {

/// A row of output positions, or some rows where the kernel can take them (DepthwiseKernel::takes_rows).
struct DepthwiseParams {
  const std::uint8_t* input = nullptr;
  std::ptrdiff_t input_step = 0;
  const std::ptrdiff_t* taps = nullptr;
  std::int64_t tap_count = 0;

  const std::int8_t* weights = nullptr;  ///< as the kernel's pack() gives them, with the epilogue's numbers
  std::int64_t blocks = 0;

  std::int64_t channels = 0;
  std::int64_t positions = 0;
  std::uint8_t* output = nullptr;
  std::ptrdiff_t output_step = 0;
  const Epilogue* epilogue = nullptr;  ///< kRequantize

  // The taps are rows of `window_width`, equally far apart, and so are the rows and the taps of each.
  std::int64_t window_width = 1;
  std::ptrdiff_t pixel = 0;  ///< from one pixel of the input to the next
  std::int64_t rows = 1;     ///< of output
  std::ptrdiff_t input_row = 0;
  std::ptrdiff_t output_row = 0;
};

/// Weights and the numbers of the epilogue, in a kernel's order.
struct DepthwiseWeights {
  AlignedVector<std::int8_t> weights;
  AlignedVector<std::int32_t> bias;
  AlignedVector<float> multipliers;
  std::int64_t blocks = 0;
};

/// From weights [channels][taps], bias and multipliers [channels].
using PackDepthwise = DepthwiseWeights (*)(std::span<const std::int8_t> weights,
                                           std::span<const std::int32_t> bias,
                                           std::span<const float> multipliers, std::int64_t window_width);

/// Bytes in which a kernel may hold rows of the input.
inline constexpr std::int64_t kDepthwiseScratch = 64 << 10;

/// How vectors of 16 channels are taken together: few channels repeat in blocks of four vectors, across
/// pixels where they can; else first come groups of four, then of three, the last of which may overlap.
struct DepthwiseGroups {
  std::int64_t vectors;
  bool repeats;
  std::int64_t fours;

  // Compiled for several sets: no copy of it may be shared.
  [[gnu::always_inline]] explicit DepthwiseGroups(std::int64_t channels)
      : vectors((channels + 15) / 16), repeats(channels <= 32 && channels % 8 == 0) {
    std::int64_t left = vectors - 3 * ((4 - vectors % 4) % 4);
    fours = repeats || left < 0 ? 0 : left / 4;
  }
};

/// Columns that a window spans, holes included, and its rows.
struct DepthwiseWindow {
  std::int64_t rows;
  std::int64_t span;
};

struct DepthwiseKernel {
  std::string_view name;
  Isa isa;
  void (*run)(const DepthwiseParams& params);
  PackDepthwise pack;
  bool takes_rows;
  /// None: it can take any.
  bool (*fits)(const DepthwiseWindow& window);
};

/// All that are compiled in, best first.
std::span<const DepthwiseKernel> depthwise_kernels();

}  // namespace zeropoint::kernels
