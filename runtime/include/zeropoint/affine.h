#pragma once

// The affine mapping, the one equation of this project:
//
//     real = scale * (quantized - zero_point)
//     quantized = clamp(round_half_even(real / scale) + zero_point, q_min, q_max)
//
// `scale` is real units per step, never its inverse; `zero_point` is the integer that stands for real 0.
// Sources: ONNX QuantizeLinear / DequantizeLinear; Jacob et al. 2018 (arXiv:1712.05877), equation 1.
// The derivation is in docs/quantization.md. Everything that quantizes calls these functions or equals them
// bit for bit.

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// The integers a quantized value may take, both ends included.
struct QuantizedRange {
  std::int64_t q_min = -128;
  std::int64_t q_max = 127;
  friend bool operator==(const QuantizedRange&, const QuantizedRange&) = default;
};

/// An n-bit integer type: signed [-2^(n-1), 2^(n-1)-1], unsigned [0, 2^n-1]; a narrow signed range drops the
/// lowest value and so is symmetric about 0.
struct QuantizedType {
  int bits = 8;
  bool is_signed = true;
  bool narrow = false;

  /// The range of the type, or kInvalidArgument: bits must be 2..8, 16 or 32, and only signed types can be
  /// narrow.
  [[nodiscard]] Result<QuantizedRange> range() const;
  /// The smallest element type that holds every value of the range.
  [[nodiscard]] ElementType storage() const;
  /// "int8", "uint4", "int8 narrow"
  [[nodiscard]] std::string name() const;

  friend bool operator==(const QuantizedType&, const QuantizedType&) = default;
};

/// One affine mapping. `scale` is finite, positive and not denormal.
struct QuantParams {
  float scale = 1;
  std::int64_t zero_point = 0;
  friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

enum class Scheme : std::uint8_t {
  kAsymmetric,  ///< scale = (r_max - r_min) / (q_max - q_min), zero_point = round(q_max - r_max / scale)
  kSymmetric,   ///< scale = max|r| / (q_max - zero_point), zero_point = 0, or 2^(n-1) for unsigned types
};

enum class RangeRule : std::uint8_t {
  kContainZero,  ///< widen the range to contain 0 first, so that 0 (padding, ReLU) is represented exactly
  /// Take the range as it is, and clamp the zero point into [q_min, q_max]. A range that lies on one side of
  /// 0 is then represented badly or not at all: this rule is for comparison with texts that compute so.
  kPlainMinMax,
};

struct ParamsOptions {
  Scheme scheme = Scheme::kAsymmetric;
  RangeRule rule = RangeRule::kContainZero;
  /// Symmetric only: max|r| is taken as at least this, so that an all-zero channel gets a usable scale.
  float abs_max_floor = 0;
};

/// max|w| of a weight channel is taken as at least this (the course's figure), in real units.
inline constexpr float kWeightAbsMaxFloor = 5e-7F;

/// Scale and zero point for reals in [r_min, r_max]. Computed in float64, the scale then rounded to float32;
/// the zero point follows from the rounded scale.
///
/// Every degenerate range has one answer:
/// - empty (r_min > r_max, as an observer that saw nothing reports) or all zeros: scale 1, zero point 0 (for
///   symmetric unsigned types the middle); with abs_max_floor the floor is the range;
/// - one value c != 0: [min(c, 0), max(c, 0)], also under kPlainMinMax;
/// - a range on one side of 0: widened to 0, or see kPlainMinMax;
/// - so narrow that the scale would be denormal or 0: scale is the smallest normal float, 2^-126;
/// - so wide that the scale would exceed float32: cannot occur, the width of float32 over 2 steps still fits
///   (an end of the range may then dequantize to an infinity);
/// - infinite or NaN: kInvalidArgument.
Result<QuantParams> choose_params(float r_min, float r_max, QuantizedType type, ParamsOptions options = {});

/// Rounds to the nearest integer, ties to even, as IEEE 754's default mode does. Assumes that mode.
inline float round_half_even(float value) { return std::nearbyintf(value); }

/// clamp(round_half_even(steps) + zero_point, q_min, q_max): the end of quantization and of requantization.
/// NaN becomes the zero point (clamped), -inf and +inf the ends of the range.
inline std::int64_t quantize_steps(float steps, std::int64_t zero_point, QuantizedRange range) {
  float rounded = std::isnan(steps) ? 0.0F : round_half_even(steps);
  // Beyond 2^40 every range is left on that side, and the conversion to integer stays defined.
  constexpr float kFar = 1099511627776.0F;
  rounded = rounded < -kFar ? -kFar : (rounded > kFar ? kFar : rounded);
  std::int64_t q = static_cast<std::int64_t>(rounded) + zero_point;
  return q < range.q_min ? range.q_min : (q > range.q_max ? range.q_max : q);
}

/// clamp(round_half_even(real / scale) + zero_point, q_min, q_max), the division in float32.
/// ONNX QuantizeLinear. NaN quantizes to the zero point, infinities to the ends of the range.
inline std::int64_t quantize(float real, QuantParams params, QuantizedRange range) {
  return quantize_steps(real / params.scale, params.zero_point, range);
}

/// scale * (q - zero_point): the difference exact, then as float32 (exact up to 2^24), the product in
/// float32. ONNX DequantizeLinear.
inline float dequantize(std::int64_t q, QuantParams params) {
  return params.scale * static_cast<float>(q - params.zero_point);
}

/// The range of all values that an integer element type can store.
QuantizedRange storage_range(ElementType type);

}  // namespace zeropoint
