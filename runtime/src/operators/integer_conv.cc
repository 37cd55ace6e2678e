// ONNX ConvInteger and QLinearConv: convolutions of quantized tensors, accumulated in int32.
//
//     acc = sum (x - x_zero_point) * (w - w_zero_point) [+ bias]
//     QLinearConv: y = requantize(acc) by S_x * S_w[m] / S_y, the bias int32 at scale S_x * S_w[m]
//
// Padding stands for real 0. Accumulators beyond int32 wrap.

#include "operators/convolution.h"
#include "operators/integer_operand.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> conv_integer(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(Convolution convolution,
                      Convolution::of(call, call.input(0).shape(), call.input(1).shape()));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> x, centred(call, 0, 2, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> w, centred(call, 1, 3, 0));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(ElementType::kInt32, convolution.shape));
  std::int32_t* out = y.data<std::int32_t>().data();
  if (y.size() > 0) {
    convolution.for_each<std::int64_t>(
        x.data(), w.data(), [](std::int64_t) { return 0; },
        [&](std::int64_t i, std::int64_t /*m*/, std::int64_t sum) {
          out[i] = static_cast<std::int32_t>(sum);
        });
  }
  return one(std::move(y));
}

Result<std::vector<Tensor>> qlinear_conv(const OperatorCall& call) {
  const Tensor& weights = call.input(3);
  ZP_ASSIGN_OR_RETURN(Convolution convolution, Convolution::of(call, call.input(0).shape(), weights.shape()));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> x, centred(call, 0, 2, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> w, centred(call, 3, 5, 0));
  ZP_ASSIGN_OR_RETURN(std::vector<float> x_scale, scales_of(call, 1, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<float> w_scales, scales_of(call, 4, weights.dim(0)));
  ZP_ASSIGN_OR_RETURN(QuantizedResult result, QuantizedResult::of(call, 6, 7, call.input(0).type()));
  ZP_ASSIGN_OR_RETURN(Requantizer requantized, Requantizer::of(x_scale[0], w_scales, result));
  std::span<const std::int32_t> bias;
  if (call.has(8)) {
    if (call.input(8).type() != ElementType::kInt32 || call.input(8).shape() != Shape{weights.dim(0)}) {
      return Status::invalid_argument("bias ", name_of(call.input(8).type()), call.input(8).shape(),
                                      " does not fit weights ", weights.shape());
    }
    bias = call.input(8).data<std::int32_t>();
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(result.type, convolution.shape));
  if (y.size() > 0) {
    convolution.for_each<std::int64_t>(
        x.data(), w.data(),
        [&](std::int64_t m) { return bias.empty() ? 0 : std::int64_t{bias[static_cast<std::size_t>(m)]}; },
        [&](std::int64_t i, std::int64_t m, std::int64_t sum) { store(y, i, requantized(sum, m)); });
  }
  return one(std::move(y));
}

}  // namespace zeropoint::operators
