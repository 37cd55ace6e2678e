#pragma once

// Programs of one operation, and what they must compute, written from the definitions and not from the code
// under test: convolution scatters real steps (q - Z) over a padded image in int64 instead of gathering with
// a folded bias, and rounding is done on exact numbers.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "zeropoint/program.h"
#include "zeropoint/reference.h"

namespace zeropoint::testing_programs {

using Rng = std::mt19937;

inline std::int64_t pick(Rng& rng, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(rng);
}

/// Uniform over the type, with the two ends of its range more often than chance would have them.
inline Tensor random_integers(ElementType type, Shape shape, Rng& rng) {
  Tensor tensor(type, std::move(shape));
  QuantizedRange range = storage_range(type);
  visit_integer(type, [&](auto element) {
    for (auto& value : tensor.data<decltype(element)>()) {
      std::int64_t corner = pick(rng, 0, 7);
      value = static_cast<decltype(element)>(corner == 0   ? range.q_min
                                             : corner == 1 ? range.q_max
                                                           : pick(rng, range.q_min, range.q_max));
    }
  });
  return tensor;
}

inline std::vector<std::int64_t> integers_of(const Tensor& tensor) {
  std::vector<std::int64_t> values;
  visit_integer(tensor.type(), [&](auto element) {
    for (auto value : tensor.data<decltype(element)>()) {
      values.push_back(static_cast<std::int64_t>(value));
    }
  });
  return values;
}

/// Rounds to nearest; a number exactly between two goes to the even one, or up.
inline std::int64_t rounded(double exact, bool half_even) {
  double below = std::floor(exact);
  double rest = exact - below;
  auto whole = static_cast<std::int64_t>(below);
  if (rest == 0.5 && half_even) {
    return whole % 2 == 0 ? whole : whole + 1;
  }
  return rest >= 0.5 ? whole + 1 : whole;
}

/// What becomes of the accumulator of channel `m`.
inline std::int64_t expected_output(std::int64_t accumulator, const std::optional<Requantization>& how,
                                    std::size_t m) {
  if (!how) {
    return accumulator;
  }
  std::int64_t q = 0;
  if (const auto* floats = std::get_if<std::vector<float>>(&how->multipliers)) {
    // The product of two float32 is exact in float64, so this rounds it once.
    auto product = static_cast<float>(static_cast<double>(static_cast<float>(accumulator)) *
                                      static_cast<double>((*floats)[m]));
    q = rounded(static_cast<double>(product), true);
  } else {
    FixedPointMultiplier f = std::get<1>(how->multipliers)[m];
    __extension__ using Wide = __int128;
    Wide unit = static_cast<Wide>(1) << f.shift;
    Wide product = static_cast<Wide>(accumulator) * f.mantissa;
    Wide below = product / unit - (product % unit < 0 ? 1 : 0);
    q = static_cast<std::int64_t>(below) + (2 * (product - below * unit) >= unit ? 1 : 0);
  }
  return std::clamp(q + how->zero_point, how->clamp.q_min, how->clamp.q_max);
}

/// Multipliers that bring accumulators of about `reach` into a few hundred steps.
inline Requantization random_requantization(ElementType out, std::int64_t channels, double reach,
                                            bool fixed_point, Rng& rng) {
  QuantizedRange range = storage_range(out);
  Requantization result{{}, pick(rng, range.q_min, range.q_max), range};
  if (pick(rng, 0, 2) == 0) {
    result.clamp.q_min = result.zero_point;  // a ReLU
  }
  std::uniform_real_distribution<float> spread(0.2F, 2);
  std::vector<float> floats;
  std::vector<FixedPointMultiplier> fixed;
  for (std::int64_t m = 0; m < channels; ++m) {
    floats.push_back(spread(rng) * 200 / static_cast<float>(reach));
    fixed.push_back(*fixed_point_multiplier(floats.back(), 1, 1));
  }
  if (fixed_point) {
    result.multipliers = fixed;
  } else {
    result.multipliers = floats;
  }
  return result;
}

/// A tensor with an open batch before `sample`.
inline TensorInfo batched(std::string name, ElementType type, Shape sample) {
  sample.insert(sample.begin(), kOpenExtent);
  return {std::move(name), type, std::move(sample)};
}

/// A program of one operation from tensor 0 to tensor 1.
inline Program program_of(Operation operation, TensorInfo in, TensorInfo out) {
  Program program;
  program.name = "one";
  program.tensors = {std::move(in), std::move(out)};
  program.operations = {std::move(operation)};
  program.inputs = {0};
  program.outputs = {1};
  return program;
}

/// A layer whose folded bias is given as bias and input zero point.
struct RandomLayer {
  LinearLayer layer;
  std::vector<std::int64_t> bias;
};
inline RandomLayer random_layer(ElementType type, Shape weights_shape, std::int64_t zero_point, Rng& rng) {
  RandomLayer result;
  std::int64_t channels = weights_shape[0];
  result.layer.weights = random_integers(type, std::move(weights_shape), rng);
  result.layer.accumulator = type == ElementType::kInt8 ? ElementType::kInt32 : ElementType::kInt64;
  std::vector<std::int64_t> w = integers_of(result.layer.weights);
  std::size_t depth = w.size() / static_cast<std::size_t>(channels);
  for (std::int64_t m = 0; m < channels; ++m) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < depth; ++k) {
      sum += w[static_cast<std::size_t>(m) * depth + k];
    }
    result.bias.push_back(pick(rng, -20000, 20000));
    result.layer.folded_bias.push_back(result.bias.back() - zero_point * sum);
  }
  return result;
}

/// The position of element `index` in `extents`, row-major.
inline Shape position_of(std::int64_t index, const Shape& extents) {
  Shape position(extents.size());
  for (std::size_t i = extents.size(); i-- > 0;) {
    position[i] = index % extents[i];
    index /= extents[i];
  }
  return position;
}

/// Which tap of the kernel joins the input at `in` to the output at `out`, row-major; -1 for none.
inline std::int64_t tap_between(const Window& window, const Shape& kernel, const Shape& in,
                                const Shape& out) {
  std::int64_t tap = 0;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    std::int64_t distance = in[i] * window.holes[i] + window.pads_begin[i] - out[i] * window.strides[i];
    std::int64_t k = distance / window.dilations[i];
    if (distance < 0 || k * window.dilations[i] != distance || k >= kernel[i]) {
      return -1;
    }
    tap = tap * kernel[i] + k;
  }
  return tap;
}

/// Convolution by its definition: each step of the input is added to every output it reaches. Padding and
/// holes hold Z_in, a step of 0, and so add nothing.
inline std::vector<std::int64_t> scattered_conv(const ConvOp& op, const std::vector<std::int64_t>& bias,
                                                const Tensor& input, const Shape& output) {
  std::vector<std::int64_t> x = integers_of(input);
  std::vector<std::int64_t> w = integers_of(op.layer.weights);
  const Shape& weights = op.layer.weights.shape();
  Shape kernel(weights.begin() + 2, weights.end());
  Shape in_plane(input.shape().begin() + 2, input.shape().end());
  Shape out_plane(output.begin() + 2, output.end());
  std::int64_t taps = *element_count(kernel);
  std::int64_t positions = *element_count(out_plane);
  std::int64_t per_group_out = output[1] / op.group;
  std::vector<std::int64_t> sums;
  for (std::int64_t i = 0; i < output[0] * output[1]; ++i) {
    sums.insert(sums.end(), static_cast<std::size_t>(positions),
                bias[static_cast<std::size_t>(i % output[1])]);
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto index = static_cast<std::int64_t>(i);
    Shape at = position_of(index, in_plane);
    std::int64_t channel = index / *element_count(in_plane) % input.dim(1);
    std::int64_t n = index / *element_count(in_plane) / input.dim(1);
    for (std::int64_t o = 0; o < positions; ++o) {
      std::int64_t tap = tap_between(op.window, kernel, at, position_of(o, out_plane));
      for (std::int64_t j = 0; tap >= 0 && j < per_group_out; ++j) {
        std::int64_t m = channel / weights[1] * per_group_out + j;
        std::int64_t weight = (m * weights[1] + channel % weights[1]) * taps + tap;
        sums[static_cast<std::size_t>((n * output[1] + m) * positions + o)] +=
            (x[i] - op.input_zero_point) * w[static_cast<std::size_t>(weight)];
      }
    }
  }
  return sums;
}

}  // namespace zeropoint::testing_programs
