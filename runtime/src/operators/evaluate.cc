#include <algorithm>
#include <new>
#include <stdexcept>

#include "narrow_elements.h"
#include "operators/operators.h"
#include "operators/wide.h"
#include "zeropoint/half.h"

namespace zeropoint {
namespace {

Status check_counts(const OperatorCall& call, const OpInfo& info) {
  if (call.input_count() < info.min_inputs || call.input_count() > info.max_inputs) {
    return Status::invalid_argument("it has ", call.input_count(), " inputs");
  }
  if (call.output_count() > info.max_outputs) {
    return Status::invalid_argument("it has ", call.output_count(), " outputs");
  }
  for (std::size_t i = 0; i < info.min_inputs; ++i) {
    if (!call.has(i)) {
      return Status::invalid_argument("its input ", i, " is missing");
    }
  }
  return {};
}

/// Operators that move, convert or make elements take halves as they are; the others compute in float32.
bool takes_halves(Op op) {
  switch (op) {
    case Op::kCast:
    case Op::kCastLike:
    case Op::kCompress:
    case Op::kConcat:
    case Op::kDepthToSpace:
    case Op::kDropout:
    case Op::kExpand:
    case Op::kEyeLike:
    case Op::kFlatten:
    case Op::kGather:
    case Op::kGatherElements:
    case Op::kGatherND:
    case Op::kIdentity:
    case Op::kOneHot:
    case Op::kPad:
    case Op::kReshape:
    case Op::kReverseSequence:
    case Op::kShape:
    case Op::kSize:
    case Op::kSlice:
    case Op::kSpaceToDepth:
    case Op::kSplit:
    case Op::kSqueeze:
    case Op::kTile:
    case Op::kTranspose:
    case Op::kTrilu:
    case Op::kUnsqueeze:
    case Op::kWhere:
      return true;
    default:
      return false;
  }
}

/// What elements of `type` are computed in: halves in float32; integers of less than 64 bits in int64 where
/// that gives the same, wrapped back, with less code.
ElementType computed_in(Op op, ElementType type) {
  if (is_half(type) && !takes_halves(op)) {
    return ElementType::kFloat32;
  }
  bool narrow =
      is_integer(type) && type != ElementType::kInt4 && type != ElementType::kUint4 && size_of(type) < 8;
  return narrow && (op == Op::kGemm || op == Op::kMatMul || op == Op::kMaxPool) ? ElementType::kInt64 : type;
}

/// The call with its elements of `type` as `wide` ones, and the result back as what they were.
Result<std::vector<Tensor>> evaluate_widened(const OperatorCall& call, ElementType type, ElementType wide) {
  std::vector<Tensor> widened(call.input_count());
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    const Tensor* input = call.has(i) ? &call.input(i) : nullptr;
    bool half = input != nullptr && wide == ElementType::kFloat32 && is_half(input->type());
    if (half || (input != nullptr && input->type() == type)) {
      widened[i] = operators::convert(*input, wide);
      input = &widened[i];
    }
    inputs.push_back(input);
  }
  OperatorCall wider(call.op(), call.attributes(), inputs, call.output_count(), call.largest_output());
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, info_of(call.op()).evaluation(wider));
  // The statistics of a LayerNormalization stay float32, the positions of a MaxPool int64.
  bool first_alone = call.op() == Op::kLayerNormalization || call.op() == Op::kMaxPool;
  for (std::size_t i = 0; i < (first_alone ? 1 : outputs.size()); ++i) {
    if (outputs[i].type() == wide) {
      outputs[i] = is_half(type) ? narrow(outputs[i], type) : operators::convert(outputs[i], type);
    }
  }
  return outputs;
}

}  // namespace

Result<Tensor> OperatorCall::make_output(ElementType type, Shape shape) const {
  ZP_ASSIGN_OR_RETURN(std::int64_t count, element_count(shape));
  if (static_cast<std::size_t>(count) > largest_output_ / std::max<std::size_t>(size_of(type), 1)) {
    return Status::resource_exhausted("an output of shape ", shape, " is larger than ", largest_output_,
                                      " bytes, the most allowed here");
  }
  return Tensor(type, std::move(shape));
}

Result<std::vector<std::int64_t>> OperatorCall::ints_input(std::size_t i) const {
  const Tensor& tensor = input(i);
  if (tensor.rank() <= 1 && tensor.type() == ElementType::kInt64) {
    std::span<const std::int64_t> values = tensor.data<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (tensor.rank() <= 1 && tensor.type() == ElementType::kInt32) {
    std::span<const std::int32_t> values = tensor.data<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return Status::invalid_argument("input ", i, " is ", zeropoint::name_of(tensor.type()), tensor.shape(),
                                  "; a list of int64 is needed");
}

Result<std::vector<Tensor>> evaluate(const OperatorCall& call) {
  const OpInfo& info = info_of(call.op());
  ZP_RETURN_IF_ERROR(check_counts(call, info));
  try {
    for (std::size_t i = 0; i < call.input_count(); ++i) {
      ElementType type = call.has(i) ? call.input(i).type() : ElementType::kFloat32;
      if (ElementType wide = computed_in(call.op(), type); wide != type) {
        return evaluate_widened(call, type, wide);
      }
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, info.evaluation(call));
    std::for_each(outputs.begin(), outputs.end(), wrap_into_type);
    return outputs;
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted("not enough memory");
  } catch (const std::length_error&) {
    return Status::resource_exhausted("not enough memory");
  }
}

}  // namespace zeropoint
