#pragma once

// Functions of neighbouring elements, one of each per instruction set. Integers are bytes as the engine keeps
// them: those of signed types shifted by 128.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/epilogue.h"
#include "zeropoint/cpu.h"

namespace zeropoint::kernels {

/// quantize() of affine.h: clamp(round(real / scale) + zero_point); NaN gives the zero point.
struct QuantizeParams {
  float scale = 1;
  std::int32_t zero_point = 0;  ///< shifted
  std::uint8_t low = 0;
  std::uint8_t high = 255;
};

/// ReduceOp's and AveragePoolOp's mean: clamp(round(float(sum) * factor) + zero_point).
struct MeanParams {
  float factor = 1;
  std::int32_t zero_point = 0;  ///< shifted
  std::uint8_t low = 0;
  std::uint8_t high = 255;
};

/// SoftmaxOp along neighbouring elements: bytes of the input to bytes of the output.
struct SoftmaxParams {
  const std::int32_t* exponentials;  ///< by the distance from the largest byte
  QuantizeParams to;
};

/// NormalizeOp's kLayer and kRootMeanSquare over neighbouring elements.
struct NormalizeParams {
  bool centers = true;
  std::int32_t zero_point = 0;  ///< of the input, shifted
  double scale = 1;
  double epsilon = 0;
  const double* gain;  ///< one for each element
  const double* bias;
  QuantizeParams to;
};

/// Position p reads pixels p * step + t * tap_step for each tap t, and writes pixel p * output_step.
struct MaximumParams {
  const std::uint8_t* input = nullptr;
  std::uint8_t* output = nullptr;
  std::int64_t channels = 0;
  std::int64_t positions = 0;
  std::int64_t taps = 0;
  std::ptrdiff_t step = 0, tap_step = 0, output_step = 0;
};

/// Float32 operations of two operands.
enum class Arithmetic : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide };

struct ElementwiseKernels {
  std::string_view name;
  Isa isa;
  void (*quantize)(const float* in, std::uint8_t* out, std::int64_t count, const QuantizeParams& params);
  /// The same of rows of `count`, one behind the other, to rows that begin `row` apart.
  void (*quantize_rows)(const float* in, std::uint8_t* out, std::int64_t rows, std::ptrdiff_t row,
                        std::int64_t count, const QuantizeParams& params);
  /// out[i * step] for channel-last images.
  void (*quantize_strided)(const float* in, std::uint8_t* out, std::ptrdiff_t step, std::int64_t count,
                           const QuantizeParams& params);
  /// Three planes, `plane` elements apart, to pixels of three bytes: colour images. None: strided is as good.
  void (*quantize_three)(const float* in, std::ptrdiff_t plane, std::uint8_t* out, std::int64_t count,
                         const QuantizeParams& params);
  /// scale * float(q - zero_point) of bytes.
  void (*dequantize)(const std::uint8_t* in, float* out, std::int64_t count, float scale,
                     std::int32_t zero_point);
  /// scales[i] * float(q) of accumulators.
  void (*dequantize_sums)(const std::int32_t* in, float* out, std::int64_t count, const float* scales);
  /// The part of `epilogue` that adds: `own` and `other` summed.
  void (*add)(const std::uint8_t* own, const std::uint8_t* other, std::uint8_t* out, std::int64_t count,
              const Epilogue& epilogue);
  void (*look_up)(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const std::uint8_t* table);
  /// A table of 256 bytes for each element.
  void (*look_up_each)(const std::uint8_t* in, std::uint8_t* out, std::int64_t count,
                       const std::uint8_t* tables);
  void (*softmax)(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const SoftmaxParams& params);
  void (*normalize)(const std::uint8_t* in, std::uint8_t* out, std::int64_t count,
                    const NormalizeParams& params);
  /// out[i] = max(a[i], b[i])
  void (*maximum)(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::int64_t count);
  /// The largest of some neighbouring pixels of a row, for each position.
  void (*maximum_of_pixels)(const MaximumParams& params);
  /// sums[i] += in[r * step + i] for each of the rows r.
  void (*accumulate)(const std::uint8_t* in, std::ptrdiff_t step, std::int64_t rows, std::int32_t* sums,
                     std::int64_t count);
  /// out[i] = a[i] op b[i]; out may be one of them.
  void (*combine)(Arithmetic op, const float* a, const float* b, float* out, std::int64_t count);
  void (*mean)(const std::int32_t* sums, std::uint8_t* out, std::int64_t count, const MeanParams& params);
};

/// All that are compiled in, best first.
std::span<const ElementwiseKernels> elementwise_kernels();
/// The best that a machine with `isa` runs.
const ElementwiseKernels& elementwise_for(Isa isa);

}  // namespace zeropoint::kernels
