#pragma once

// From an exact accumulator to the next quantized tensor, for convolution and fully connected layers (weights
// symmetric, bias with zero point 0 and scale S_in * S_w[channel]):
//
//     q_out = clamp(round((sum(q_in * q_w) + Q_bias) * M) + Z_out),   M = S_in * S_w / S_out
//     Q_bias = q_bias - Z_in * sum(q_w)
//
// Two ways to round, both normative, chosen per program:
// - kFloat: accumulator and M as float32, their product rounded to float32, then half to even. This is how
//   ONNX Runtime computes QLinearConv, whose specification gives no order; every IEEE machine gives the same
//   bits.
// - kFixedPoint: M = M0 * 2^-shift with a 31-bit mantissa M0; the 62-bit product is exact and shifted right
//   once, rounding half up (towards +inf). Needs no floating-point unit. Jacob et al. 2018
//   (arXiv:1712.05877), section 2.2.
//
// docs/quantization.md derives both and says how often they differ.

#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/status.h"

namespace zeropoint {

enum class RequantizeMode : std::uint8_t { kFloat, kFixedPoint };

/// A positive real number mantissa * 2^-shift, mantissa in [2^30, 2^31) (or 0 for a real below 2^-32), shift
/// in 1..62.
struct FixedPointMultiplier {
  std::int32_t mantissa = 0;
  std::int32_t shift = 1;
  friend bool operator==(const FixedPointMultiplier&, const FixedPointMultiplier&) = default;
};

/// S_in * S_w / S_out in float32, multiplied first, divided second: the order in which ONNX Runtime's
/// QLinearConv computes it, so that both round alike. kInvalidArgument when the product or the quotient
/// leaves the normal floats.
Result<float> float_multiplier(float s_in, float s_w, float s_out);

/// The 31-bit fixed-point number nearest to S_in * S_w / S_out, which is taken in float64.
/// kInvalidArgument for a quotient of 2^30 or more, or one that is not finite.
Result<FixedPointMultiplier> fixed_point_multiplier(float s_in, float s_w, float s_out);

/// q_out by float32 product. Any accumulator, any positive multiplier.
inline std::int64_t requantize(std::int64_t accumulator, float multiplier, std::int64_t zero_point,
                               QuantizedRange range) {
  return quantize_steps(static_cast<float>(accumulator) * multiplier, zero_point, range);
}

/// round_half_up(accumulator * mantissa * 2^-shift), exactly. |accumulator * mantissa| <= 2^62 and the
/// rounding term is at most 2^61, so nothing overflows.
inline std::int64_t multiply_fixed_point(std::int32_t accumulator, FixedPointMultiplier multiplier) {
  std::int64_t product = std::int64_t{accumulator} * multiplier.mantissa;
  // >> of a negative number is arithmetic (C++20), so this floors, which with the added half rounds half up.
  return (product + (std::int64_t{1} << (multiplier.shift - 1))) >> multiplier.shift;
}

/// The same for an accumulator of up to 62 bits; a result beyond 2^62 is given as +-2^62, which every range
/// clamps.
std::int64_t multiply_fixed_point_wide(std::int64_t accumulator, FixedPointMultiplier multiplier);

/// q_out by fixed-point product.
inline std::int64_t requantize(std::int64_t accumulator, FixedPointMultiplier multiplier,
                               std::int64_t zero_point, QuantizedRange range) {
  bool narrow = accumulator >= std::numeric_limits<std::int32_t>::min() &&
                accumulator <= std::numeric_limits<std::int32_t>::max();
  std::int64_t product = narrow ? multiply_fixed_point(static_cast<std::int32_t>(accumulator), multiplier)
                                : multiply_fixed_point_wide(accumulator, multiplier);
  std::int64_t q = product + zero_point;
  return q < range.q_min ? range.q_min : (q > range.q_max ? range.q_max : q);
}

/// The bias of one layer as integers at scale S_in * S_w[channel], zero point 0.
struct QuantizedBias {
  std::vector<std::int32_t> values;  ///< one per channel
  std::vector<float> scales;         ///< S_in * S_w[channel], float32
};

/// Quantizes `bias` (one real per channel). `weight_scales` has one entry per channel, or one for all.
/// kInvalidArgument when a bias is not finite, or lies beyond int32 at its scale; the message names the
/// channel.
Result<QuantizedBias> quantize_bias(std::span<const float> bias, float s_in,
                                    std::span<const float> weight_scales);

/// The smallest weight scale, at least `s_w`, at which |bias| / (S_in * S_w) stays below 2^31 - 1 - `reserve`
/// (at least 2^24): the cure for a bias beyond int32. `reserve` leaves room for the products that are summed
/// with it. All arguments finite, the scales positive.
float weight_scale_that_holds_bias(float bias, float s_in, float s_w, std::int64_t reserve = 0);

/// Q_bias = q_bias - Z_in * sum(q_w) of one channel, in 64 bits.
inline std::int64_t fold_zero_point(std::int64_t q_bias, std::int64_t z_in, std::int64_t weight_sum) {
  return q_bias - z_in * weight_sum;
}

/// The interval of all values that sum(q_in * w) + folded_bias can pass through, in any order of summation,
/// for q_in in `input` (Z_in included in folded_bias) and weights of int8, int16 or int32. A channel is safe
/// in int32 when this interval is. Ends beyond 2^62 are given as +-2^62.
template <typename Weight>
QuantizedRange accumulator_bounds(std::span<const Weight> weights, QuantizedRange input,
                                  std::int64_t folded_bias);

}  // namespace zeropoint
