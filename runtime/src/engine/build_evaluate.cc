// Operators that move integers, without moving them where their result lies as they do.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/packed_weights.h"
#include "engine/steps/convert.h"

namespace zeropoint::engine {
namespace {

bool build_concat(Builder& builder, const EvaluateOp& op) {
  TensorId output = op.outputs[0];
  const Shape& shape = builder.shape(output);
  std::int64_t axis = int_attribute(op.op, op.attributes, "axis");
  axis += axis < 0 ? std::ssize(shape) : 0;
  if (!is_byte(builder.type(output)) || axis != 1 || (shape.size() != 3 && shape.size() != 4) ||
      !builder.wants_image(output)) {
    return false;
  }
  // Its operands may have been made at their places already.
  Image whole = builder.has_image(output) ? builder.image(output) : builder.new_image(output);
  std::int64_t channel = 0;
  for (TensorId input : op.inputs) {
    Image from = builder.image(input);
    Image to = whole;
    to.place.offset += channel;
    to.channels = from.channels;
    channel += from.channels;
    bool there = from.place.buffer == to.place.buffer && from.place.offset == to.place.offset;
    if (!there) {
      auto step = std::make_unique<CopyImageStep>(from, to);
      step->profile.name = builder.program().tensor(output).name;
      step->profile.operation = describe(op);
      builder.add(std::move(step), {from.place, to.place});
    }
  }
  return true;
}

/// Whether somebody reads which elements a Dropout kept.
bool has_mask(const Builder& builder, const EvaluateOp& op) {
  TensorId mask = op.outputs.size() > 1 ? op.outputs[1] : kNoTensor;
  return mask != kNoTensor && (builder.is_output(mask) || !builder.readers(mask).empty());
}

/// Of a Dropout, which does nothing else.
bool asks_for_training(const Builder& builder, const EvaluateOp& op) {
  bool given = op.inputs.size() > 2 && op.inputs[2] != kNoTensor;
  const Tensor* training = given ? builder.constant(op.inputs[2]) : nullptr;
  bool refused = training != nullptr && training->type() == ElementType::kBool && training->size() == 1 &&
                 training->bytes()[0] == std::byte{0};
  return given && !refused;
}

}  // namespace

bool build_evaluate(Builder& builder, std::size_t i, const EvaluateOp& op) {
  switch (op.op) {
    case Op::kReshape:
    case Op::kFlatten:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kIdentity:
      builder.alias(op.outputs[0], op.inputs[0]);
      return true;
    case Op::kDropout:
      if (has_mask(builder, op) || asks_for_training(builder, op)) {
        return false;
      }
      builder.alias(op.outputs[0], op.inputs[0]);
      return true;
    case Op::kConv:
      return build_float_conv(builder, op);
    case Op::kMatMul:
      return build_float_mat_mul(builder, i, op);
    case Op::kMatMulInteger:
      return build_mat_mul_integer(builder, i, op);
    case Op::kDynamicQuantizeLinear:
      return build_dynamic_quantize(builder, op);
    case Op::kDequantizeLinear:
      // Products by a matrix of constants read its integers; see build_float_mat_mul().
      return dequantized_matrix(builder.program(), op, builder.readers(op.outputs[0])).has_value();
    case Op::kGemm:
      return build_float_gemm(builder, i, op);
    case Op::kMaxPool:
      return build_max_pool(builder, op) || build_float_pool(builder, op);
    case Op::kAveragePool:
      return build_float_pool(builder, op);
    case Op::kGlobalAveragePool:
      return build_float_global_mean(builder, op);
    case Op::kSoftmax:
    case Op::kLogSoftmax:
      return build_float_softmax(builder, op);
    case Op::kLayerNormalization:
    case Op::kRMSNormalization:
      return build_float_layer_normalize(builder, op);
    case Op::kInstanceNormalization:
    case Op::kGroupNormalization:
      return build_float_group_normalize(builder, op);
    case Op::kBatchNormalization:
      return build_float_batch_normalize(builder, op);
    case Op::kGather:
      return build_move(builder, op) || build_gather(builder, op);
    case Op::kTranspose:
      return build_transpose(builder, op);
    case Op::kConcat:
      return build_concat(builder, op) || build_move(builder, op);
    default:
      return build_move(builder, op) || build_broadcast(builder, op);
  }
}

}  // namespace zeropoint::engine
