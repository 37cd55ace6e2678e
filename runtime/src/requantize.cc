#include "zeropoint/requantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "signed_sums.h"

namespace zeropoint {
namespace {

constexpr QuantizedRange kInt32{std::numeric_limits<std::int32_t>::min(),
                                std::numeric_limits<std::int32_t>::max()};

std::string scales_text(float s_in, float s_w, float s_out) {
  return join({"input scale ", s_in, " * weight scale ", s_w, " / output scale ", s_out});
}

/// The bias in steps of `scale`, before it is clamped into int32.
float steps_of(float bias, float scale) { return bias / scale; }

/// The first float beyond int32.
constexpr float kBeyondInt32 = 2147483648.0F;

bool is_below(float steps, float limit) { return std::abs(steps) < limit; }

}  // namespace

Result<float> float_multiplier(float s_in, float s_w, float s_out) {
  float product = s_in * s_w;
  float quotient = product / s_out;
  if (!std::isnormal(product) || !std::isnormal(quotient) || quotient < 0) {
    return Status::invalid_argument(scales_text(s_in, s_w, s_out),
                                    " is outside of the normal float32 numbers");
  }
  return quotient;
}

Result<FixedPointMultiplier> fixed_point_multiplier(float s_in, float s_w, float s_out) {
  double real = static_cast<double>(s_in) * static_cast<double>(s_w) / static_cast<double>(s_out);
  if (!std::isfinite(real) || real <= 0 || real >= 1073741824.0) {
    return Status::invalid_argument(scales_text(s_in, s_w, s_out), " does not fit a fixed-point multiplier");
  }
  int exponent = 0;
  double fraction = std::frexp(real, &exponent);  // real = fraction * 2^exponent, fraction in [0.5, 1)
  auto mantissa = static_cast<std::int64_t>(std::nearbyint(std::ldexp(fraction, 31)));
  if (mantissa == std::int64_t{1} << 31) {
    mantissa >>= 1;
    ++exponent;
  }
  int shift = 31 - exponent;
  if (shift < 1) {
    return Status::invalid_argument(scales_text(s_in, s_w, s_out), " does not fit a fixed-point multiplier");
  }
  // Below 2^-32 even the largest accumulator stays under one half, so every product rounds to 0.
  if (shift > 62) {
    return FixedPointMultiplier{0, 62};
  }
  return FixedPointMultiplier{static_cast<std::int32_t>(mantissa), shift};
}

Result<QuantizedBias> quantize_bias(std::span<const float> bias, float s_in,
                                    std::span<const float> weight_scales) {
  if (weight_scales.size() != 1 && weight_scales.size() != bias.size()) {
    return Status::invalid_argument(weight_scales.size(), " weight scales do not fit ", bias.size(),
                                    " biases");
  }
  QuantizedBias result;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    float scale = s_in * weight_scales[weight_scales.size() == 1 ? 0 : c];
    float steps = steps_of(bias[c], scale);
    if (!std::isnormal(scale) || !is_below(steps, kBeyondInt32)) {  // NaN does not fit either
      return Status::invalid_argument("the bias ", bias[c], " of channel ", c,
                                      " does not fit int32 at scale ", scale,
                                      "; a larger weight scale is needed");
    }
    result.values.push_back(static_cast<std::int32_t>(quantize_steps(steps, 0, kInt32)));
    result.scales.push_back(scale);
  }
  return result;
}

float weight_scale_that_holds_bias(float bias, float s_in, float s_w, std::int64_t reserve) {
  float limit = std::min(kBeyondInt32, static_cast<float>(std::max<std::int64_t>(
                                           (std::int64_t{1} << 31) - 1 - reserve, std::int64_t{1} << 24)));
  auto holds = [&](float scale) {
    return std::isnormal(s_in * scale) && is_below(steps_of(bias, s_in * scale), limit);
  };
  if (holds(s_w)) {
    return s_w;
  }
  double least = std::abs(static_cast<double>(bias)) / static_cast<double>(limit) / static_cast<double>(s_in);
  double least_normal = static_cast<double>(std::numeric_limits<float>::min()) / static_cast<double>(s_in);
  auto scale = std::max(static_cast<float>(std::max(least, least_normal)), s_w);
  // float32 rounding of the scale, of the product and of the quotient may each ask for one step more.
  while (!holds(scale)) {
    scale = std::nextafter(scale, std::numeric_limits<float>::infinity());
  }
  return scale;
}

std::int64_t multiply_fixed_point_wide(std::int64_t accumulator, FixedPointMultiplier multiplier) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  // accumulator = high * 2^31 + low: the product is a * 2^31 + b, rounding included, and a shift by 31 or
  // more floors in two steps.
  std::int64_t high = accumulator >> 31;
  std::int64_t low = accumulator & ((std::int64_t{1} << 31) - 1);
  std::int64_t a = high * multiplier.mantissa;
  std::int64_t b = low * multiplier.mantissa + (std::int64_t{1} << (multiplier.shift - 1));
  if (multiplier.shift >= 31) {
    return (a + (b >> 31)) >> (multiplier.shift - 31);
  }
  int up = 31 - multiplier.shift;
  std::int64_t limit = (kMost >> up) - 1;
  if (a > limit || a < -limit) {
    return a > 0 ? kMost : -kMost;
  }
  return std::clamp(a * (std::int64_t{1} << up) + (b >> multiplier.shift), -kMost, kMost);
}

template <typename Weight>
QuantizedRange accumulator_bounds(std::span<const Weight> weights, QuantizedRange input,
                                  std::int64_t folded_bias) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  if constexpr (sizeof(Weight) == 1) {
    constexpr std::int64_t kFar = std::int64_t{1} << 32;
    if (weights.size() < (std::size_t{1} << 21) && input.q_min > -kFar && input.q_max < kFar &&
        input.q_min <= input.q_max) {
      // What follows, with the weights of one sign taken together: no sum comes near 2^62.
      SignedSums sums = signed_sums(weights);
      std::int64_t low = std::min(input.q_min, std::int64_t{0});
      std::int64_t high = std::max(input.q_max, std::int64_t{0});
      return {std::max(std::clamp(folded_bias, -kMost, std::int64_t{0}) + sums.positive * low +
                           sums.negative * high,
                       -kMost),
              std::min(std::clamp(folded_bias, std::int64_t{0}, kMost) + sums.positive * high +
                           sums.negative * low,
                       kMost)};
    }
  }
  // Partial sums in any order lie between the sum of all negative and the sum of all positive extremes.
  QuantizedRange bounds{std::clamp(folded_bias, -kMost, std::int64_t{0}),
                        std::clamp(folded_bias, std::int64_t{0}, kMost)};
  for (Weight weight : weights) {
    std::int64_t a = weight * input.q_min;
    std::int64_t b = weight * input.q_max;
    bounds.q_min = std::max(bounds.q_min + std::min<std::int64_t>({a, b, 0}), -kMost);
    bounds.q_max = std::min(bounds.q_max + std::max<std::int64_t>({a, b, 0}), kMost);
  }
  return bounds;
}

template QuantizedRange accumulator_bounds(std::span<const std::int8_t>, QuantizedRange, std::int64_t);
template QuantizedRange accumulator_bounds(std::span<const std::int16_t>, QuantizedRange, std::int64_t);
template QuantizedRange accumulator_bounds(std::span<const std::int32_t>, QuantizedRange, std::int64_t);

}  // namespace zeropoint
