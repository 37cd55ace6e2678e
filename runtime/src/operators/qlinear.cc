// Operators of com.microsoft on quantized tensors that are what they say: dequantize the operands, apply the
// float operator, quantize. QLinearGlobalAveragePool adds up integers, so that no sum is rounded.

#include <cmath>
#include <initializer_list>
#include <limits>

#include "operators/apply.h"
#include "operators/integer_operand.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

Op float_operator(Op op) {
  switch (op) {
    case Op::kQLinearAdd:
      return Op::kAdd;
    case Op::kQLinearMul:
      return Op::kMul;
    case Op::kQLinearConcat:
      return Op::kConcat;
    case Op::kQLinearAveragePool:
      return Op::kAveragePool;
    case Op::kQLinearLeakyRelu:
      return Op::kLeakyRelu;
    case Op::kQLinearSigmoid:
      return Op::kSigmoid;
    default:
      return Op::kSoftmax;
  }
}

Status check_layout(const OperatorCall& call) {
  return call.int_attribute("channels_last") == 0
             ? Status()
             : Status::unsupported("channels_last is set; only [N, C, ...] is computed here");
}

/// The scales of these inputs are positive and finite, so that dividing by them and multiplying by them give
/// numbers.
Status check_scales(const OperatorCall& call, std::initializer_list<std::size_t> inputs) {
  for (std::size_t i : inputs) {
    ZP_ASSIGN_OR_RETURN(std::vector<float> scale, scales_of(call, i, 1));
    if (!(scale[0] > 0) || !std::isfinite(scale[0])) {
      return Status::invalid_argument("its scale, input ", i, ", is ", scale[0],
                                      "; a positive number is needed");
    }
  }
  return {};
}

/// QuantizeLinear of `real` by inputs `scale` and `zero_point`; without one the type is that of `like`.
Result<std::vector<Tensor>> quantized(const OperatorCall& call, const Tensor& real, std::size_t scale,
                                      std::size_t zero_point, const Tensor& like) {
  Tensor zero(like.type(), {});
  return apply(Op::kQuantizeLinear, {},
               {&real, &call.input(scale), call.has(zero_point) ? &call.input(zero_point) : &zero}, call);
}

/// The float operator of the call on its operands, which are at these inputs, each with scale and zero point
/// behind it; quantized by inputs `scale` and the next.
Result<std::vector<Tensor>> by_floats(const OperatorCall& call, const std::vector<std::size_t>& operands,
                                      std::size_t scale) {
  std::vector<Tensor> reals;
  for (std::size_t i : operands) {
    if (!call.has(i) || !call.has(i + 1)) {
      return Status::invalid_argument("its input ", i, " or the scale of it is missing");
    }
    ZP_RETURN_IF_ERROR(check_scales(call, {i + 1, scale}));
    const Tensor* zero_point = call.has(i + 2) ? &call.input(i + 2) : nullptr;
    ZP_ASSIGN_OR_RETURN(
        std::vector<Tensor> real,
        apply(Op::kDequantizeLinear, {}, {&call.input(i), &call.input(i + 1), zero_point}, call));
    reals.push_back(std::move(real[0]));
  }
  std::vector<const Tensor*> inputs;
  for (const Tensor& real : reals) {
    inputs.push_back(&real);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> result,
                      apply(float_operator(call.op()), call.attributes(), inputs, call));
  return quantized(call, result[0], scale, scale + 1, call.input(operands[0]));
}

}  // namespace

// Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, c_scale, c_zero_point.
Result<std::vector<Tensor>> qlinear_binary(const OperatorCall& call) { return by_floats(call, {0, 3}, 6); }

// Inputs: x, x_scale, x_zero_point, y_scale, y_zero_point.
Result<std::vector<Tensor>> qlinear_unary(const OperatorCall& call) {
  if (call.op() == Op::kQLinearAveragePool) {
    ZP_RETURN_IF_ERROR(check_layout(call));
  }
  return by_floats(call, {0}, 3);
}

// Before opset 13 Softmax saw its input as a matrix, all axes from `axis` on being one.
Result<std::vector<Tensor>> qlinear_softmax(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  std::int64_t opset = call.int_attribute("opset");
  if (opset >= 13 || opset == 0) {
    return by_floats(call, {0}, 3);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> matrix,
                      apply(Op::kFlatten, {{"axis", call.int_attribute("axis")}}, {&x}, call));
  std::vector<const Tensor*> inputs{&matrix[0]};
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    inputs.push_back(call.has(i) ? &call.input(i) : nullptr);
  }
  Attributes rows{{"axis", std::int64_t{1}}, {"opset", std::int64_t{13}}};
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> y, apply(Op::kQLinearSoftmax, rows, inputs, call));
  y[0].reshape(x.shape());
  return y;
}

// Inputs: y_scale, y_zero_point, then x, x_scale, x_zero_point of each.
Result<std::vector<Tensor>> qlinear_concat(const OperatorCall& call) {
  if (call.input_count() < 5 || (call.input_count() - 2) % 3 != 0) {
    return Status::invalid_argument("it has ", call.input_count(),
                                    " inputs; a scale and a zero point, and three per tensor, are needed");
  }
  std::vector<std::size_t> operands;
  for (std::size_t i = 2; i < call.input_count(); i += 3) {
    operands.push_back(i);
  }
  return by_floats(call, operands, 0);
}

// y = requantize(sum (x - x_zero_point)) by S_x / (S_y * count).
Result<std::vector<Tensor>> qlinear_global_average_pool(const OperatorCall& call) {
  ZP_RETURN_IF_ERROR(check_layout(call));
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> integers, centred(call, 0, 2, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<float> scale, scales_of(call, 1, 1));
  ZP_ASSIGN_OR_RETURN(QuantizedResult result, QuantizedResult::of(call, 3, 4, x.type()));
  if (x.rank() < 2) {
    return Status::invalid_argument("input ", x.shape(), " has no channels");
  }
  Shape shape(x.shape().size(), 1);
  shape[0] = x.dim(0);
  shape[1] = x.dim(1);
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(result.type, std::move(shape)));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  std::int64_t plane = x.size() / y.size();
  if (plane == 0) {
    return Status::invalid_argument("input ", x.shape(), " has empty planes");
  }
  if (plane > std::numeric_limits<std::int32_t>::max() >> (8 * size_of(x.type()))) {
    return Status::unsupported("planes of ", plane, " elements may overflow their int32 sums");
  }
  QuantizedResult sum = result;
  sum.params.scale *= static_cast<float>(plane);
  ZP_ASSIGN_OR_RETURN(Requantizer requantized, Requantizer::of(scale[0], {1.0F}, sum));
  for (std::int64_t i = 0; i < y.size(); ++i) {
    std::int64_t total = 0;
    for (std::int64_t k = 0; k < plane; ++k) {
      total += integers[static_cast<std::size_t>(i * plane + k)];
    }
    store(y, i, requantized(total, 0));
  }
  return one(std::move(y));
}

}  // namespace zeropoint::operators
