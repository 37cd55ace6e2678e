#pragma once

// The functions as loops that the compiler turns into the vectors of the set it compiles for. Internal
// linkage: each set's file includes them.

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/float/float.h"
#include "operators/elementary.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kLanes = 64;  // sums at a time

/// sums[i] += in[i * step] * weight, fused
inline void add_tap(const float* in, std::ptrdiff_t step, float weight, std::int64_t count, float* sums) {
  if (step == 1 && count == kLanes) {
    for (std::int64_t i = 0; i < kLanes; ++i) {
      sums[i] = std::fma(in[i], weight, sums[i]);
    }
  } else if (step == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      sums[i] = std::fma(in[i], weight, sums[i]);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      sums[i] = std::fma(in[i * step], weight, sums[i]);
    }
  }
}

void window(const FloatWindowParams& params) {
  FloatWindowParams p = params;
  for (std::int64_t first = 0; first < p.count; first += kLanes) {
    std::int64_t count = std::min(kLanes, p.count - first);
    float sums[kLanes] = {};
    for (std::int64_t t = 0; t < p.tap_count; ++t) {
      add_tap(p.input + first * p.step + p.taps[t], p.step, p.weights[t], count, sums);
    }
    float* out = p.output + first;
    std::copy_n(sums, count, out);
    if (p.bias != nullptr) {
      float bias = *p.bias;
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] += bias;
      }
    }
    if (p.clamps) {
      for (std::int64_t i = 0; i < count; ++i) {
        float raised = out[i] < p.low ? p.low : out[i];
        out[i] = raised > p.high ? p.high : raised;
      }
    }
  }
}

void softmax(const float* in, float* out, std::int64_t count, bool logarithm) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < count; ++i) {
    largest = largest < in[i] ? in[i] : largest;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = operators::exponential(in[i] - largest);
  }
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += out[i];
  }
  if (logarithm) {
    float offset = std::log(sum);
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = (in[i] - largest) - offset;
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] /= sum;
    }
  }
}

/// The sum of function(i), in the order of operators::sum_of().
template <typename Function>
double sum_in_parts(std::int64_t count, Function function) {
  constexpr std::int64_t kParts = 8;
  double parts[kParts] = {};
  std::int64_t i = 0;
  for (; i + kParts <= count; i += kParts) {
    for (std::int64_t k = 0; k < kParts; ++k) {
      parts[k] += function(i + k);
    }
  }
  for (; i < count; ++i) {
    parts[0] += function(i);
  }
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

void normalize(const FloatNormalizeParams& params) {
  FloatNormalizeParams p = params;
  auto n = static_cast<double>(p.count);
  const float* in = p.input;
  double mean =
      p.centers ? sum_in_parts(p.count, [&](std::int64_t i) { return static_cast<double>(in[i]); }) / n : 0;
  double variance = sum_in_parts(p.count,
                                 [&](std::int64_t i) {
                                   double centered = static_cast<double>(in[i]) - mean;
                                   return centered * centered;
                                 }) /
                    n;
  double deviation = std::sqrt(variance + p.epsilon);
  auto center = static_cast<float>(mean);
  if (p.stretch == 0) {
    auto slope = static_cast<float>(1 / deviation);
    for (std::int64_t i = 0; i < p.count; ++i) {
      p.output[i] = (in[i] - center) * slope * p.gain[i] + (p.bias == nullptr ? 0.0F : p.bias[i]);
    }
    return;
  }
  for (std::int64_t first = 0; first < p.count; first += p.stretch, ++p.gain, ++p.bias) {
    auto slope = static_cast<float>(static_cast<double>(*p.gain) / deviation);
    float bias = *p.bias;
    for (std::int64_t i = first; i < first + p.stretch; ++i) {
      p.output[i] = (in[i] - center) * slope + bias;
    }
  }
}

constexpr FloatKernels all_float_loops(std::string_view name, Isa isa) {
  return {name, isa, window, softmax, normalize};
}

}  // namespace
}  // namespace zeropoint::kernels
