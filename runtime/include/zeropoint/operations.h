#pragma once

// The operations of a program. q is an integer of a quantized tensor, s its scale, Z its zero point; round()
// goes to the nearest integer, ties to even; every float32 and float64 operation is rounded by itself as IEEE
// 754 says (no contraction), so each definition gives the same bits on every machine.

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/operator.h"
#include "zeropoint/requantize.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// Index into Program::tensors.
using TensorId = std::int32_t;
/// An optional operand that is not given.
inline constexpr TensorId kNoTensor = -1;

/// real = s * (q - Z), with one scale or one per index of `axis` (negative: from the end).
struct Dequantization {
  std::vector<float> scales;
  std::int64_t zero_point = 0;
  std::int64_t axis = 1;
};

/// q = clamp(round(real / s) + Z). `range` is the output type's, narrowed by an activation such as ReLU
/// (q >= Z) that became part of the operation: quantize(clip(r)) = clamp(quantize(r)).
struct Quantization {
  QuantParams params;
  QuantizedRange range;
};

/// Accumulator to quantized output: one multiplier per output channel, one zero point; see requantize.h.
/// `clamp` as Quantization::range.
struct Requantization {
  std::variant<std::vector<float>, std::vector<FixedPointMultiplier>> multipliers;
  std::int64_t zero_point = 0;
  QuantizedRange clamp;
};

/// Reals to integers. ONNX QuantizeLinear, per tensor.
struct QuantizeOp {
  TensorId input;
  TensorId output;
  Quantization to;
};

/// Integers to reals. ONNX DequantizeLinear, per tensor or per axis.
struct DequantizeOp {
  TensorId input;
  TensorId output;
  Dequantization from;
};

/// What layers with constant weights share: acc[m] = sum over k of q_in[k] * w[m][k] + folded_bias[m].
struct LinearLayer {
  /// Steps q_w - Z_w as int8, int16 or int32: output channels first, then the K of a sum.
  Tensor weights;
  /// q_bias - Z_in * sum(w), one per output channel.
  std::vector<std::int64_t> folded_bias;
  /// kInt32, or kInt64 where the sum can leave int32.
  ElementType accumulator = ElementType::kInt32;
  /// None: the output is the accumulator itself.
  std::optional<Requantization> requantization;
};

/// How a window lies over the spatial axes of a convolution's input [N, C, spatial...]; one entry per axis.
/// The extent of an axis after `holes` is (input - 1) * holes + 1: between two neighbours stand holes - 1
/// elements that hold the zero point, as the pads do. Negative pads cut elements off.
struct Window {
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> holes;
  std::vector<std::int64_t> pads_begin;
  std::vector<std::int64_t> pads_end;
};

/// Weights [M, C / group, kernel...]. ONNX Conv; and ConvTranspose, which is a convolution of stride 1 over
/// an input with holes, its weights mirrored.
struct ConvOp {
  TensorId input;
  TensorId output;
  LinearLayer layer;
  Window window;
  std::int64_t group = 1;
  std::int64_t input_zero_point = 0;
};

/// Weights [M, K] over inputs [..., K]: outputs [..., M]. ONNX Gemm, and MatMul with constant weights.
struct FullyConnectedOp {
  TensorId input;
  TensorId output;
  LinearLayer layer;
};

/// acc = sum over k of (q_a - Z_a) * (q_b - Z_b), in 64 bits, requantized by one multiplier. Shapes as ONNX
/// MatMul of two computed tensors, batch axes broadcast.
struct MatMulOp {
  TensorId a;
  TensorId b;
  TensorId output;
  std::int64_t a_zero_point = 0;
  std::int64_t b_zero_point = 0;
  Requantization requantization;
};

/// The sum of two quantized tensors, broadcast to each other as in ONNX Add. With r_a = s_a / s_out and r_b =
/// s_b / s_out in float32:
///   q_out = clamp(round(q_a * r_a + (q_b * r_b + c))),  c = Z_out - (r_a * Z_a + r_b * Z_b),
/// every operation in float32. This is how ONNX Runtime computes QLinearAdd, so that both round alike; the
/// float32 simulation of the graph can round a tie the other way. Inputs of at most 16 bits.
struct AddOp {
  TensorId a;
  TensorId b;
  TensorId output;
  QuantParams a_params;
  QuantParams b_params;
  Quantization to;
};

/// A function of one element: q_out = tables[c][q_in - q_min], q_min being the smallest integer of the
/// input's type, which has at most 16 bits. `tables` is [entries], or [channels, entries] where the index
/// along `axis` chooses c.
struct TableOp {
  TensorId input;
  TensorId output;
  Tensor tables;
  std::int64_t axis = 1;
};

/// Real arithmetic between quantized tensors, as the graph spells it: the inputs' elements as float32 reals,
/// then each step by its plain evaluation in float32, then quantization. The steps are operators that take
/// only IEEE operations (add, multiply, divide, square root, compare, round), so an integer run equals the
/// float32 simulation of the graph bit for bit.
struct ArithmeticOp {
  struct Input {
    TensorId tensor;
    Dequantization from;
  };
  struct Step {
    Op op;
    Attributes attributes;
    /// Indices into the inputs, then the constants, then the results of earlier steps; -1 where absent.
    std::vector<std::int32_t> operands;
  };
  std::vector<Input> inputs;
  std::vector<Tensor> constants;
  std::vector<Step> steps;
  TensorId output;
  Quantization to;
};

/// The sum over some axes, or their mean over n elements (n = 1 for a sum):
/// q_out = clamp(round((sum(q_in - Z_in)) * (s_in / (s_out * n))) + Z_out), the sum exact, the factor in
/// float32. ONNX ReduceMean, ReduceSum, GlobalAveragePool.
struct ReduceOp {
  TensorId input;
  TensorId output;
  std::vector<std::int64_t> axes;  ///< may count from the end
  bool keep_axes = true;
  bool mean = true;
  QuantParams from;
  Quantization to;
};

/// The mean under a window, as ReduceOp's: n is the number of elements under the window, those of the padding
/// counted or not. `attributes` are those of ONNX AveragePool, whose geometry this has.
struct AveragePoolOp {
  TensorId input;
  TensorId output;
  Attributes attributes;
  QuantParams from;
  Quantization to;
};

/// ONNX Softmax or LogSoftmax along `axis`. With d[i] = max(q) - q[i] and e[d] = round(exp(-d * s_in) *
/// 2^30), which `exponentials` holds for every d of the input's type (made once, so that no machine's exp()
/// is asked at run time): p[i] = e[d[i]] / sum(e), the sum exact and the quotient in float64, rounded to
/// float32 and quantized; its logarithm is -d[i] * s_in - ln(sum(e) * 2^-30), ln by a series of float64
/// additions, products and quotients.
struct SoftmaxOp {
  TensorId input;
  TensorId output;
  std::int64_t axis = -1;
  bool logarithm = false;
  float scale = 1;  ///< s_in
  std::vector<std::int64_t> exponentials;
  Quantization to;
};

/// Sets of n neighbouring elements brought to mean 0 and variance 1. With x = q - Z, S1 = sum(x) and S2 =
/// sum(x * x) exact integers, and all else in float64:
///   m = S1 / n, v = (S2 - S1 * m) / n, f = s / sqrt(v * s * s + epsilon), y = (x - m) * f * gain + bias,
/// rounded to float32 and quantized. kRootMeanSquare has m = 0. The set is all axes from `axis` on
/// (LayerNormalization, RMSNormalization), gain and bias then [n]; or one of `groups` groups of channels with
/// its spatial extents (GroupNormalization; with as many groups as channels InstanceNormalization), gain and
/// bias then [C].
struct NormalizeOp {
  enum class Kind : std::uint8_t { kLayer, kRootMeanSquare, kGroup };
  TensorId input;
  TensorId output;
  Kind kind = Kind::kLayer;
  std::int64_t axis = -1;   ///< of kLayer and kRootMeanSquare
  std::int64_t groups = 1;  ///< of kGroup; 0: one per channel
  float epsilon = 1e-5F;
  std::vector<float> gain;  ///< one element stands for all
  std::vector<float> bias;  ///< the same
  QuantParams from;
  Quantization to;
};

/// An operator by its plain evaluation on the tensors as they are: what moves integers, what computes shapes
/// and indices, and what stays in float.
struct EvaluateOp {
  Op op;
  Attributes attributes;
  std::vector<TensorId> inputs;   ///< kNoTensor where absent
  std::vector<TensorId> outputs;  ///< kNoTensor where nobody reads
};

using Operation = std::variant<QuantizeOp, DequantizeOp, ConvOp, FullyConnectedOp, MatMulOp, AddOp, TableOp,
                               ArithmeticOp, ReduceOp, AveragePoolOp, SoftmaxOp, NormalizeOp, EvaluateOp>;

/// The tensors an operation reads and makes, without those that are absent.
std::vector<TensorId> inputs_of(const Operation& operation);
std::vector<TensorId> outputs_of(const Operation& operation);

}  // namespace zeropoint
