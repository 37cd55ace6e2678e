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

/// A row of output positions.
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
                                           std::span<const float> multipliers);

struct DepthwiseKernel {
  std::string_view name;
  Isa isa;
  void (*run)(const DepthwiseParams& params);
  PackDepthwise pack;
};

/// All that are compiled in, best first.
std::span<const DepthwiseKernel> depthwise_kernels();

}  // namespace zeropoint::kernels
