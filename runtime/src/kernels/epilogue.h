#pragma once

// What becomes of int32 accumulators: plain data that every family of kernels with accumulators reads.

#include <cstddef>
#include <cstdint>

namespace zeropoint::kernels {

enum class EpilogueKind : std::uint8_t {
  kAccumulators,  ///< out is int32: the accumulators as they are
  kRequantize,    ///< u8 = clamp(round(float(acc) * multiplier)) + zero_point
  kAdd,           ///< the same, and then the sum of two quantized tensors as AddOp defines it
};

/// Requantization by float32 multipliers, as requantize.h defines it, onto 8 bits that are kept as uint8:
/// those of int8 are shifted by 128, and so are `zero_point` and the clamps. It is proven for each channel
/// that |float(acc) * multiplier| stays below 2^30.
struct Epilogue {
  EpilogueKind kind = EpilogueKind::kAccumulators;
  /// Per channel, filled up to whole panels.
  const std::int32_t* bias = nullptr;
  const float* multipliers = nullptr;
  std::int32_t zero_point = 0;
  std::uint8_t low = 0;
  std::uint8_t high = 255;

  // kAdd. With q the integer of the requantization before its shift and p that of the other operand:
  // out = clamp(round(q * own_scale + (p * other_scale + fixed))), or with q and p exchanged in the order of
  // the float32 operations. The sum is proven to stay below 2^30.
  bool own_first = true;
  float own_scale = 1;
  float other_scale = 1;
  float fixed = 0;
  std::int32_t own_shift = 0;    ///< 128 where the requantization's type is int8
  std::int32_t other_shift = 0;  ///< the same of the other operand
  std::int32_t sum_shift = 0;    ///< of the sum
  std::uint8_t sum_low = 0;      ///< clamp of the sum, shifted
  std::uint8_t sum_high = 255;
};

}  // namespace zeropoint::kernels
