#pragma once

// A network as integer operations, ready to run: what `compile` makes of a graph in QDQ form. Portable:
// nothing in it depends on an instruction set. All tensors are NCHW, with the batch (given at run time) as
// their first axis.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/requantize.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// Index into Program::tensors.
using TensorId = std::int32_t;

/// A tensor that flows through a program.
struct TensorInfo {
  std::string name;
  ElementType type = ElementType::kInt8;
  Shape sample_shape;  ///< without the batch
};

/// Accumulator to quantized output: one multiplier per output channel (axis 1), one zero point. `clamp` is
/// the output type's range, narrowed by an activation such as ReLU (q >= zero_point) that became part of the
/// operation.
struct Requantization {
  std::variant<std::vector<float>, std::vector<FixedPointMultiplier>> multipliers;
  std::int64_t zero_point = 0;
  QuantizedRange clamp;
};

/// real -> q. ONNX QuantizeLinear, per tensor.
struct QuantizeOp {
  TensorId input;
  TensorId output;
  QuantParams params;
  QuantizedRange range;
};

/// q -> real. ONNX DequantizeLinear, per tensor (one scale) or per channel along axis 1.
struct DequantizeOp {
  TensorId input;
  TensorId output;
  std::vector<float> scales;
  std::int64_t zero_point = 0;
};

/// What a convolution and a fully connected layer share: acc[m] = sum(q_in * q_w[m]) + folded_bias[m], in
/// int32.
struct LinearLayer {
  Tensor weights;                         ///< int8, output channels first
  std::vector<std::int32_t> folded_bias;  ///< q_bias - Z_in * sum(q_w), one per output channel
  /// None: the output is the int32 accumulator itself.
  std::optional<Requantization> requantization;
};

/// A window over the two spatial axes: height first.
struct Window2d {
  std::int64_t kernel[2] = {1, 1};
  std::int64_t strides[2] = {1, 1};
  std::int64_t dilations[2] = {1, 1};
  std::int64_t pads_begin[2] = {0, 0};
};

/// Weights [M, C / group, kernel height, kernel width]. Padding holds `input_zero_point`.
struct ConvOp {
  TensorId input;
  TensorId output;
  LinearLayer layer;
  Window2d window;
  std::int64_t group = 1;
  std::int64_t input_zero_point = 0;
};

/// Weights [M, K] over inputs [N, K].
struct FullyConnectedOp {
  TensorId input;
  TensorId output;
  LinearLayer layer;
};

/// The largest element under the window; padding never wins. Input and output share scale and zero point.
struct MaxPoolOp {
  TensorId input;
  TensorId output;
  Window2d window;
};

/// The same elements in the output's shape.
struct ReshapeOp {
  TensorId input;
  TensorId output;
};

using Operation = std::variant<QuantizeOp, DequantizeOp, ConvOp, FullyConnectedOp, MaxPoolOp, ReshapeOp>;

/// A value type; safe to share between threads as long as nobody changes it.
struct Program {
  std::string name;
  std::vector<TensorInfo> tensors;
  std::vector<Operation> operations;  ///< in an order in which they can run
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;

  [[nodiscard]] const TensorInfo& tensor(TensorId id) const { return tensors[static_cast<std::size_t>(id)]; }
};

/// Checks that a program can run: ids in range, made before used, element types, and shapes that fit
/// together. After it no operation reads or writes outside of its tensors. Errors name operation and tensor.
Status verify(const Program& program);

/// The tensors that are float although they are neither input nor output of the program. An integer program
/// has none.
std::vector<TensorId> float_tensors_inside(const Program& program);

}  // namespace zeropoint
