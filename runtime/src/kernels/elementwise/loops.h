#pragma once

// The elementwise functions as loops that the compiler turns into the vectors of the set it compiles for.
// Internal linkage: each set's file includes them. Reals are clamped before they are rounded, which changes
// no result since the ends of a range are integers, and lets one addition round them.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/elementwise/elementwise.h"

namespace zeropoint::kernels {
namespace {

/// To the nearest integer, ties to even, for |x| < 2^22: above 2^23 float32 has no fractions.
inline float round_small(float x) {
  constexpr float kWhole = 12582912.0F;  // 1.5 * 2^23
  return (x + kWhole) - kWhole;
}

/// clamp(round(x) + zero_point, low, high)
inline std::uint8_t byte_of(float x, std::int32_t zero_point, float low, float high) {
  float clamped = x < low ? low : (x > high ? high : x);
  return static_cast<std::uint8_t>(static_cast<std::int32_t>(round_small(clamped)) + zero_point);
}

void quantize_strided(const float* in, std::uint8_t* out, std::ptrdiff_t step, std::int64_t count,
                      const QuantizeParams& params) {
  QuantizeParams p = params;
  auto low = static_cast<float>(std::int32_t{p.low} - p.zero_point);
  auto high = static_cast<float>(std::int32_t{p.high} - p.zero_point);
  std::uint8_t block[256];
  for (std::int64_t begin = 0; begin < count; begin += 256) {
    std::int64_t size = std::min<std::int64_t>(256, count - begin);
    for (std::int64_t i = 0; i < size; ++i) {
      float x = in[begin + i] / p.scale;
      block[i] = byte_of(x == x ? x : 0.0F, p.zero_point, low, high);
    }
    for (std::int64_t i = 0; i < size; ++i) {
      out[(begin + i) * step] = block[i];
    }
  }
}

void quantize(const float* in, std::uint8_t* out, std::int64_t count, const QuantizeParams& params) {
  QuantizeParams p = params;
  auto low = static_cast<float>(std::int32_t{p.low} - p.zero_point);
  auto high = static_cast<float>(std::int32_t{p.high} - p.zero_point);
  for (std::int64_t i = 0; i < count; ++i) {
    float x = in[i] / p.scale;
    out[i] = byte_of(x == x ? x : 0.0F, p.zero_point, low, high);
  }
}

void quantize_rows(const float* in, std::uint8_t* out, std::int64_t rows, std::ptrdiff_t row,
                   std::int64_t count, const QuantizeParams& params) {
  for (std::int64_t i = 0; i < rows; ++i) {
    quantize(in + i * count, out + i * row, count, params);
  }
}

void dequantize(const std::uint8_t* in, float* out, std::int64_t count, float scale,
                std::int32_t zero_point) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = scale * static_cast<float>(std::int32_t{in[i]} - zero_point);
  }
}

void dequantize_sums(const std::int32_t* in, float* out, std::int64_t count, const float* scales) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = scales[i] * static_cast<float>(in[i]);
  }
}

void add(const std::uint8_t* own, const std::uint8_t* other, std::uint8_t* out, std::int64_t count,
         const Epilogue& epilogue) {
  const Epilogue e = epilogue;
  // The order of the float32 operations is AddOp's: its second operand meets `fixed` first.
  const std::uint8_t* a = e.own_first ? own : other;
  const std::uint8_t* b = e.own_first ? other : own;
  float a_scale = e.own_first ? e.own_scale : e.other_scale;
  float b_scale = e.own_first ? e.other_scale : e.own_scale;
  std::int32_t a_shift = e.own_first ? e.own_shift : e.other_shift;
  std::int32_t b_shift = e.own_first ? e.other_shift : e.own_shift;
  auto low = static_cast<float>(std::int32_t{e.sum_low} - e.sum_shift);
  auto high = static_cast<float>(std::int32_t{e.sum_high} - e.sum_shift);
  for (std::int64_t i = 0; i < count; ++i) {
    auto qa = static_cast<float>(std::int32_t{a[i]} - a_shift);
    auto qb = static_cast<float>(std::int32_t{b[i]} - b_shift);
    out[i] = byte_of(qa * a_scale + (qb * b_scale + e.fixed), e.sum_shift, low, high);
  }
}

void look_up(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const std::uint8_t* table) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = table[in[i]];
  }
}

/// Eight bytes are read and written as one word: loads from the tables are what it waits for.
void look_up_each(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const std::uint8_t* tables) {
  std::int64_t i = 0;
  if constexpr (std::endian::native == std::endian::little) {
    for (; i + 8 <= count; i += 8) {
      std::uint64_t indices;
      std::memcpy(&indices, in + i, sizeof indices);
      std::uint64_t word = 0;
      for (int j = 0; j < 8; ++j) {
        word |= std::uint64_t{tables[(i + j) * 256 + static_cast<std::int64_t>(indices >> (8 * j) & 255)]}
                << (8 * j);
      }
      std::memcpy(out + i, &word, sizeof word);
    }
  }
  for (; i < count; ++i) {
    out[i] = tables[i * 256 + in[i]];
  }
}

/// Functions that compute reals do so for this many elements at a time.
constexpr std::int64_t kBlock = 256;

/// quantize() of reals that are no NaN.
void quantize_block(const float* reals, std::uint8_t* out, std::int64_t count, const QuantizeParams& p) {
  auto low = static_cast<float>(std::int32_t{p.low} - p.zero_point);
  auto high = static_cast<float>(std::int32_t{p.high} - p.zero_point);
  float scale = p.scale;
  std::int32_t zero_point = p.zero_point;
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = byte_of(reals[i] / scale, zero_point, low, high);
  }
}

std::uint8_t largest_of(const std::uint8_t* in, std::int64_t count) {
  std::uint8_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    largest = in[i] > largest ? in[i] : largest;
  }
  return largest;
}

void softmax(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const SoftmaxParams& params) {
  std::uint8_t largest = largest_of(in, count);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += params.exponentials[largest - in[i]];
  }
  auto total = static_cast<double>(sum);
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    std::int64_t size = std::min(kBlock, count - begin);
    std::int32_t exponentials[kBlock];
    float reals[kBlock];
    for (std::int64_t i = 0; i < size; ++i) {
      exponentials[i] = params.exponentials[largest - in[begin + i]];
    }
    for (std::int64_t i = 0; i < size; ++i) {
      reals[i] = static_cast<float>(static_cast<double>(exponentials[i]) / total);
    }
    quantize_block(reals, out + begin, size, params.to);
  }
}

/// kQuantize: quantize() or quantize_block().
template <auto kQuantize>
void normalize(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const NormalizeParams& params) {
  std::int64_t sum = 0;
  std::int64_t squares = 0;
  std::int32_t zero_point = params.zero_point;
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    std::int64_t size = std::min(kBlock, count - begin);
    std::int32_t block_sum = 0;
    std::int32_t block_squares = 0;
    for (std::int64_t i = 0; i < size; ++i) {
      std::int32_t x = std::int32_t{in[begin + i]} - zero_point;
      block_sum += x;
      block_squares += x * x;
    }
    sum += block_sum;
    squares += block_squares;
  }
  auto n = static_cast<double>(count);
  auto total = static_cast<double>(sum);
  double mean = params.centers ? total / n : 0;
  double variance = std::max((static_cast<double>(squares) - total * mean) / n, 0.0);
  double factor = params.scale / std::sqrt(variance * params.scale * params.scale + params.epsilon);
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    std::int64_t size = std::min(kBlock, count - begin);
    float reals[kBlock];
    const double* gain = params.gain + begin;
    const double* bias = params.bias + begin;
    for (std::int64_t i = 0; i < size; ++i) {
      auto x = static_cast<double>(std::int32_t{in[begin + i]} - zero_point);
      reals[i] = static_cast<float>((x - mean) * factor * gain[i] + bias[i]);
    }
    for (std::int64_t i = 0; i < size; ++i) {
      reals[i] = reals[i] == reals[i] ? reals[i] : 0.0F;
    }
    kQuantize(reals, out + begin, size, params.to);
  }
}

void maximum(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = a[i] > b[i] ? a[i] : b[i];
  }
}

void maximum_of_pixels(const MaximumParams& params) {
  const MaximumParams p = params;
  for (std::int64_t x = 0; x < p.positions; ++x) {
    const std::uint8_t* in = p.input + x * p.step;
    std::uint8_t* out = p.output + x * p.output_step;
    std::copy_n(in, p.channels, out);
    for (std::int64_t t = 1; t < p.taps; ++t) {
      maximum(out, in + t * p.tap_step, out, p.channels);
    }
  }
}

void accumulate(const std::uint8_t* in, std::ptrdiff_t step, std::int64_t rows, std::int32_t* sums,
                std::int64_t count) {
  for (; rows > 0; --rows, in += step) {
    for (std::int64_t i = 0; i < count; ++i) {
      sums[i] += in[i];
    }
  }
}

template <typename Function>
void combine_by(const float* a, const float* b, float* out, std::int64_t count, Function function) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = function(a[i], b[i]);
  }
}

void combine(Arithmetic op, const float* a, const float* b, float* out, std::int64_t count) {
  switch (op) {
    case Arithmetic::kAdd:
      return combine_by(a, b, out, count, [](float x, float y) { return x + y; });
    case Arithmetic::kSubtract:
      return combine_by(a, b, out, count, [](float x, float y) { return x - y; });
    case Arithmetic::kMultiply:
      return combine_by(a, b, out, count, [](float x, float y) { return x * y; });
    case Arithmetic::kDivide:
      return combine_by(a, b, out, count, [](float x, float y) { return x / y; });
  }
}

void mean(const std::int32_t* sums, std::uint8_t* out, std::int64_t count, const MeanParams& params) {
  MeanParams p = params;
  auto low = static_cast<float>(std::int32_t{p.low} - p.zero_point);
  auto high = static_cast<float>(std::int32_t{p.high} - p.zero_point);
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = byte_of(static_cast<float>(sums[i]) * p.factor, p.zero_point, low, high);
  }
}

constexpr ElementwiseKernels all_loops(std::string_view name, Isa isa) {
  return {name,
          isa,
          quantize,
          quantize_rows,
          quantize_strided,
          nullptr,
          dequantize,
          dequantize_sums,
          add,
          look_up,
          look_up_each,
          softmax,
          normalize<quantize_block>,
          maximum,
          maximum_of_pixels,
          accumulate,
          combine,
          mean};
}

}  // namespace
}  // namespace zeropoint::kernels
